import {
  type Line,
  type Malformed,
  type Read,
  incomplete,
  malformed,
  read,
  readLine,
  readLines,
  valuesOf,
} from './fields.ts'

/** How a message says where its body ends. */
export type Framing =
  | { readonly by: 'nothing' }
  | { readonly by: 'length'; readonly length: number }
  | { readonly by: 'chunks' }

interface Body {
  readonly text: string
  readonly trailers: readonly Line[]
}

/** Null where the head says nothing about a body. Whatever could be read in two ways is a fault (section 6.3). */
export function framingOf(lines: readonly Line[], minorVersion: number): Framing | Malformed {
  const lengths = valuesOf(lines, 'content-length')
  const encodings = valuesOf(lines, 'transfer-encoding')
  if (encodings.length > 0) {
    if (lengths.length > 0) return malformed('Content-Length beside Transfer-Encoding')
    if (minorVersion === 0) return malformed('Transfer-Encoding in HTTP/1.0')
    const [encoding = ''] = encodings
    if (encodings.length > 1 || encoding.toLowerCase() !== 'chunked')
      return malformed('a Transfer-Encoding beyond chunked')
    return { by: 'chunks' }
  }
  const [length] = lengths
  if (length === undefined) return { by: 'nothing' }
  if (lengths.length > 1) return malformed('Content-Length more than once')
  if (!/^[0-9]{1,15}$/.test(length)) return malformed('a Content-Length that is no number')
  return { by: 'length', length: Number(length) }
}

/** `text`: what of the body stands there, also where it is not whole or broken behind that. */
export interface BodyRead {
  readonly body: Read<Body>
  readonly text: string
}

export function readBody(text: string, at: number, framing: Framing): BodyRead {
  switch (framing.by) {
    case 'nothing':
      return { body: read({ text: '', trailers: [] }, at), text: '' }
    case 'length': {
      const body = text.slice(at, at + framing.length)
      const whole = body.length === framing.length
      return { body: whole ? read({ text: body, trailers: [] }, at + body.length) : incomplete, text: body }
    }
    case 'chunks':
      return readChunks(text, at)
  }
}

/** Section 7.1. Extensions are skipped; they may hold no control character but HTAB. */
function readChunks(text: string, start: number): BodyRead {
  let body = ''
  const stop = (outcome: Read<Body>): BodyRead => ({ body: outcome, text: body })
  for (let at = start; ;) {
    const line = readLine(text, at)
    if (line.kind !== 'read') return stop(line)
    const size = chunkLine.exec(line.value)?.[1]
    if (size === undefined)
      return stop(malformed(`a chunk size that is none: ${JSON.stringify(line.value.slice(0, 80))}`))
    const length = Number.parseInt(size, 16)
    if (length === 0) {
      const trailers = readLines(text, line.end)
      return stop(trailers.kind === 'read' ? read({ text: body, trailers: trailers.value }, trailers.end) : trailers)
    }
    const end = line.end + length
    body += text.slice(line.end, end)
    if (text.length < end + 2) {
      const after = text.slice(end)
      return stop(after === '' || after === '\r' ? incomplete : malformed('chunk data without CRLF behind it'))
    }
    if (!text.startsWith('\r\n', end)) return stop(malformed('chunk data without CRLF behind it'))
    at = end + 2
  }
}

/** chunk-size [ chunk-ext ]; 13 digits without leading zeros stay below 2^53. */
const chunkLine = /^(0*[0-9A-Fa-f]{1,13})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/
