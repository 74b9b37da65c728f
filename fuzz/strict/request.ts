import { type BodyRead, framingOf, readBody } from './body.ts'
import { type Line, type Read, malformed, read, readLine, readLines, valuesOf } from './fields.ts'

interface RequestHead {
  readonly method: string
  readonly target: string
  readonly minorVersion: 0 | 1
  readonly lines: readonly Line[]
}

export interface StrictRequest extends RequestHead {
  readonly body: string
  readonly trailers: readonly Line[]
}

/** Everything on a connection, and what stands behind the last whole request. */
export interface RequestsRead {
  readonly requests: readonly StrictRequest[]
  readonly rest: Rest
  /** Where `rest` begins. */
  readonly end: number
}

/** `begun`: the request whose head is whole and whose body is not, with what there is of its body. */
type Rest =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'incomplete'; readonly begun: StrictRequest | null }
  | { readonly kind: 'malformed'; readonly why: string; readonly begun: StrictRequest | null }

export function readRequests(text: string, start = 0): RequestsRead {
  const requests: StrictRequest[] = []
  for (let at = start; ;) {
    const begin = afterEmptyLines(text, at)
    if (begin === text.length) return { requests, rest: { kind: 'nothing' }, end: begin }
    const head = readHead(text, begin)
    if (head.kind !== 'read') return { requests, rest: { ...head, begun: null }, end: begin }
    const { body, text: bodyText } = bodyOf(text, head.end, head.value)
    if (body.kind !== 'read')
      return { requests, rest: { ...body, begun: { ...head.value, body: bodyText, trailers: [] } }, end: begin }
    requests.push({ ...head.value, body: body.value.text, trailers: body.value.trailers })
    at = body.end
  }
}

function bodyOf(text: string, at: number, { lines, minorVersion }: RequestHead): BodyRead {
  const framing = framingOf(lines, minorVersion)
  return 'kind' in framing ? { body: framing, text: '' } : readBody(text, at, framing)
}

/** A head with a fault in its framing has no reading at all: nobody may act on it. */
function readHead(text: string, at: number): Read<RequestHead> {
  const line = readLine(text, at)
  if (line.kind !== 'read') return line
  const parts = requestLine.exec(line.value)
  if (parts === null) return malformed(`a request line that is none: ${JSON.stringify(line.value.slice(0, 80))}`)
  const lines = readLines(text, line.end)
  if (lines.kind !== 'read') return lines
  const [, method = '', target = '', minor] = parts
  const minorVersion = minor === '0' ? 0 : 1
  const framing = framingOf(lines.value, minorVersion)
  if ('kind' in framing) return framing
  // RFC 9112, section 3.2; a gateway that chooses by Host needs it of HTTP/1.0 as well.
  if (valuesOf(lines.value, 'host').length !== 1) return malformed('not exactly one Host')
  return read({ method, target, minorVersion, lines: lines.value }, lines.end)
}

/**
 * Section 3: one word after the other, with more than one space in between allowed. Node's parser takes RTSP and ICE
 * for HTTP; nobody else would read anything there, so nobody can read something else.
 */
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) +([\x21-\x7e\x80-\xff]+) +(?:HTTP|RTSP|ICE)\/1\.([01])$/

/** Section 2.2: empty lines before a request are skipped, also those of a client that ends lines with LF. */
function afterEmptyLines(text: string, start: number): number {
  let at = start
  while (text[at] === '\r' || text[at] === '\n') at++
  return at
}
