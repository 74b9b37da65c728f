/** One event of a stream, as it came. */
export interface StreamEvent {
  /** Its bytes, the blank line that ends it included. */
  readonly raw: Buffer
  /** Its `data` lines, joined by line feeds; '' where it has none, or is too long to be read. */
  readonly data: string
}

/**
 * Splits a `text/event-stream` (HTML Standard, section 9.2.5) into its events, however the bytes are cut into chunks.
 * Lines end in CR, LF or both. What is held is at most one event of `bytesMax`; a longer one is handed on in pieces
 * as it comes, and not read.
 */
export interface EventSplitter {
  /** The events, or pieces of one that is too long, that end within the chunk. */
  push(chunk: Buffer): readonly StreamEvent[]
  /** What has come of an event that has not ended; empty where there is nothing. */
  rest(): Buffer
}

export function createEventSplitter(bytesMax: number): EventSplitter {
  let held: Buffer[] = []
  let heldBytes = 0
  let lineBytes = 0
  let afterReturn = false
  let tooLong = false

  const take = (last: Buffer): Buffer => {
    const raw = held.length === 0 ? last : Buffer.concat([...held, last])
    held = []
    heldBytes = 0
    return raw
  }

  return {
    push: (chunk) => {
      const events: StreamEvent[] = []
      let begin = 0
      for (let at = 0; at < chunk.length; at++) {
        const c = chunk[at]
        if (c === lineFeed && afterReturn) {
          afterReturn = false
          continue
        }
        afterReturn = c === carriageReturn
        if (c !== lineFeed && c !== carriageReturn) {
          lineBytes++
          continue
        }
        const blank = lineBytes === 0
        lineBytes = 0
        if (!blank) continue
        const raw = take(chunk.subarray(begin, at + 1))
        events.push({ raw, data: tooLong ? '' : dataOf(raw) })
        tooLong = false
        begin = at + 1
      }
      if (begin === chunk.length) return events
      const left = chunk.subarray(begin)
      if (tooLong || heldBytes + left.length > bytesMax) {
        tooLong = true
        events.push({ raw: take(left), data: '' })
      } else {
        held.push(left)
        heldBytes += left.length
      }
      return events
    },
    rest: () => take(Buffer.alloc(0)),
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d

function dataOf(raw: Buffer): string {
  let data = ''
  let any = false
  for (const line of raw
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)) {
    if (!line.startsWith('data:')) continue
    const value = line.startsWith('data: ') ? line.slice(6) : line.slice(5)
    data = any ? `${data}\n${value}` : value
    any = true
  }
  return data
}
