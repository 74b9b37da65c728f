import { FieldLines, readFieldLines } from './field-lines.ts'

/** Status and header lines of an upstream's answer, and what they say of its body and its connection. */
export interface ResponseHead {
  readonly status: number
  readonly fields: FieldLines
  readonly framing: Framing
  /** Bytes of the body where `framing` is `length`, otherwise 0. */
  readonly length: number
  /** Whether the connection can carry another request after this answer. */
  readonly persistent: boolean
  /** For how long the upstream says that it keeps the connection (`Keep-Alive: timeout`); null where it does not. */
  readonly keepAliveMs: number | null
  /** `Connection` names, or may name, other lines that belong to the connection. */
  readonly nominates: boolean
}

/** How the end of a body is found (RFC 9112, section 6.3). `none`: there is no body, whatever the lines say. */
type Framing = 'none' | 'length' | 'chunked' | 'close'

export const headBytesMax = 65_536
const headerLinesMax = 256

/**
 * A whole head: all of `text` before `end`, the empty line included. Null where it could be read in two ways or is none
 * at all: bare CR or LF, control characters, folded lines, space before a colon, several or odd lengths, a length
 * beside an encoding, an encoding other than `chunked`.
 */
export function parseResponseHead(text: string, end: number, method: string): ResponseHead | null {
  if (!text.startsWith('HTTP/1.') || text.charCodeAt(8) !== space) return null
  const minor = text.charCodeAt(7) - zero
  const status = statusAt(text, 9)
  if ((minor !== 0 && minor !== 1) || status === -1) return null
  const lineEnd = reasonEnd(text)
  if (lineEnd === -1) return null
  const spots: number[] = []
  if (readFieldLines(text, lineEnd, headerLinesMax, spots) !== end) return null
  return described(status, new FieldLines(text, spots), method, minor)
}

/** Whether more bytes can make a head of this beginning of one. */
export function mayBecomeHead(text: string): boolean {
  return text.startsWith('HTTP/1.'.slice(0, text.length)) && !bareLineEnd.test(text)
}

const bareLineEnd = /[^\r]\n|\r[^\n]/

const zero = 0x30
const space = 0x20

/** Three digits, 100 to 599. -1 where they are none. */
function statusAt(text: string, at: number): number {
  const hundreds = text.charCodeAt(at) - zero
  const tens = text.charCodeAt(at + 1) - zero
  const ones = text.charCodeAt(at + 2) - zero
  if (!(hundreds >= 1 && hundreds <= 5 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return -1
  return hundreds * 100 + tens * 10 + ones
}

/** Index behind the status line, whose reason phrase is of no interest; -1 where the line is not plain. */
function reasonEnd(text: string): number {
  const end = text.indexOf('\r\n', 12)
  if (end === 12) return 14
  if (text.charCodeAt(12) !== space) return -1
  for (let i = 13; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x7f || (code < space && code !== 0x09)) return -1
  }
  return end + 2
}

function described(status: number, fields: FieldLines, method: string, minor: number): ResponseHead | null {
  const { text, count } = fields
  let length = -1
  let chunked = false
  let closes = minor === 0
  let keepAliveMs: number | null = null
  let nominates = false
  for (let line = 0; line < count; line++) {
    const at = fields.nameStart(line)
    switch (fields.nameEnd(line) - at) {
      case 10:
        if (stands('connection', text, at)) {
          if (isValue(fields, line, 'keep-alive')) break
          nominates ||= !isValue(fields, line, 'close')
          closes ||= /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(fields.value(line))
        } else if (stands('keep-alive', text, at)) keepAliveMs = timeoutOf(fields.value(line))
        break
      case 14:
        if (!stands('content-length', text, at)) break
        if (length !== -1 || !/^[0-9]{1,15}$/.test(fields.value(line))) return null
        length = Number(fields.value(line))
        break
      case 17:
        if (!stands('transfer-encoding', text, at)) break
        if (chunked || minor === 0 || !isValue(fields, line, 'chunked')) return null
        chunked = true
        break
      default:
    }
  }
  if (chunked && length !== -1) return null
  const framing = framingOf(status, method, chunked, length)
  return {
    status,
    fields,
    framing,
    length: framing === 'length' ? length : 0,
    persistent: !closes && framing !== 'close',
    keepAliveMs,
    nominates,
  }
}

function framingOf(status: number, method: string, chunked: boolean, length: number): Framing {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 'none'
  if (chunked) return 'chunked'
  if (length === -1) return 'close'
  return length === 0 ? 'none' : 'length'
}

/** `known` is of lower-case letters and `-`, and at least as long as what is left of the text. */
function stands(known: string, text: string, at: number): boolean {
  for (let i = 0; i < known.length; i++) {
    const code = text.charCodeAt(at + i)
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== known.charCodeAt(i)) return false
  }
  return true
}

function isValue(fields: FieldLines, line: number, known: string): boolean {
  const at = fields.valueStart(line)
  return fields.valueEnd(line) - at === known.length && stands(known, fields.text, at)
}

/** RFC 2068, section 19.7.1.1, as servers still send it. */
function timeoutOf(value: string): number | null {
  const seconds = /(?:^|,)[ \t]*timeout=([0-9]{1,6})[ \t]*(?:,|$)/i.exec(value)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1_000
}
