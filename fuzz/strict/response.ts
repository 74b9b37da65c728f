import { type Framing, framingOf, readBody } from './body.ts'
import { type Line, type Read, incomplete, malformed, read, readLine, readLines } from './fields.ts'

export interface StrictResponse extends ResponseHead, Content {
  /** Interim answers (1xx, but not 101) that came before it. */
  readonly interim: readonly Interim[]
}

interface Interim {
  readonly status: number
  readonly lines: readonly Line[]
}

interface ResponseHead {
  readonly status: number
  readonly minorVersion: 0 | 1
  readonly lines: readonly Line[]
}

interface Content {
  readonly body: string
  readonly trailers: readonly Line[]
  /** How the end of the body was told. `close`: by the end of the connection. */
  readonly framing: Framing['by'] | 'close'
}

/** The next final answer to a request of this method. `ended`: the connection is over, in good order. */
export function readResponse(text: string, start: number, method: string, ended: boolean): Read<StrictResponse> {
  const interim: Interim[] = []
  for (let at = start; ;) {
    const head = readHead(text, at)
    if (head.kind !== 'read') return head
    const { status, lines } = head.value
    if (status >= 200 || status === 101) {
      const content = readContent(text, head.end, method, head.value, ended)
      return content.kind === 'read' ? read({ ...head.value, ...content.value, interim }, content.end) : content
    }
    // RFC 9110, section 15.2: an interim answer has no content.
    interim.push({ status, lines })
    at = head.end
  }
}

function readHead(text: string, at: number): Read<ResponseHead> {
  const line = readLine(text, at)
  if (line.kind !== 'read') return line
  const parts = statusLine.exec(line.value)
  if (parts === null) return malformed(`a status line that is none: ${JSON.stringify(line.value.slice(0, 80))}`)
  const lines = readLines(text, line.end)
  if (lines.kind !== 'read') return lines
  const [, minor, status = ''] = parts
  return read({ status: Number(status), minorVersion: minor === '0' ? 0 : 1, lines: lines.value }, lines.end)
}

/** Section 4. Servers that send no reason often leave out the space before it. */
const statusLine = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?$/

/** Section 6.3. */
function readContent(text: string, at: number, method: string, head: ResponseHead, ended: boolean): Read<Content> {
  const framing = framingOf(head.lines, head.minorVersion)
  if ('kind' in framing) return framing
  const none = { body: '', trailers: [], framing: framing.by }
  if (method === 'HEAD' || head.status === 304) return read(none, at)
  if (head.status === 204 || head.status === 101)
    return framing.by === 'nothing' ? read(none, at) : malformed(`a ${head.status} with a body announced`)
  if (framing.by === 'nothing')
    return ended ? read({ body: text.slice(at), trailers: [], framing: 'close' }, text.length) : incomplete
  const { body } = readBody(text, at, framing)
  if (body.kind !== 'read') return body
  return read({ body: body.value.text, trailers: body.value.trailers, framing: framing.by }, body.end)
}
