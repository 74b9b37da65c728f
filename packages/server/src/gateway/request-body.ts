import type { IncomingMessage } from 'node:http'

import type { RequestConnection } from './upstream/attempt.ts'

/** Who follows a body on its way to the upstream. */
export interface BodyWatch {
  /** The upstream is there: the first byte may come. */
  bodyWanted(): void
  bodyProgress(bytes: number): void
  bodySent(): void
  bodyTooLarge(): void
  /** Trailer lines of a body in chunks that may go on to the upstream: name, value, … */
  trailersFor(lines: readonly string[]): readonly string[]
}

/** What is as small as that is copied into one write with what goes before it. */
const joinedBytesMax = 4_096

/**
 * The body of a request from the client's parser to the upstream's connection: framed as it came, counted, with
 * back-pressure, and nothing holds it.
 */
export class RequestBody {
  /** The upstream takes no more for now. */
  paused = false
  readonly #req: IncomingMessage
  readonly #chunked: boolean
  readonly #watch: BodyWatch
  #left: number
  #connection: RequestConnection | null = null
  #head = ''

  constructor(req: IncomingMessage, chunked: boolean, bytesMax: number, watch: BodyWatch) {
    this.#req = req
    this.#chunked = chunked
    this.#left = bytesMax
    this.#watch = watch
  }

  /** Sends the head, together with the first of the body where that is here already, and then what comes. */
  sendTo(connection: RequestConnection, head: string): void {
    const first = this.#connection === null
    this.#connection = connection
    this.#head = head
    this.#watch.bodyWanted()
    if (first) this.#req.on('data', this.#onData).on('end', this.#onEnd)
    this.#req.resume()
    // Behind the tick in which a stream that is resumed gives what it holds.
    process.nextTick(this.#sendHead)
  }

  drained(): void {
    if (!this.paused || this.#connection === null) return
    this.paused = false
    this.#req.resume()
  }

  /** The upstream needs it no longer; the request itself goes on. */
  stop(): void {
    this.#connection = null
    this.#req.off('data', this.#onData).off('end', this.#onEnd)
    this.#req.pause()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#left -= chunk.length
    if (this.#left < 0) return this.#watch.bodyTooLarge()
    this.#watch.bodyProgress(chunk.length)
    const connection = this.#connection
    if (connection === null || this.#write(connection, chunk)) return
    this.paused = true
    this.#req.pause()
  }

  readonly #onEnd = (): void => {
    const connection = this.#connection
    if (connection === null) return
    if (this.#chunked) connection.writeText(`${this.#takeHead()}0\r\n${this.#trailers()}\r\n`)
    else this.#sendHead()
    this.#watch.bodySent()
  }

  #write(connection: RequestConnection, chunk: Buffer): boolean {
    const before = this.#chunked ? `${this.#takeHead()}${chunk.length.toString(16)}\r\n` : this.#takeHead()
    const after = this.#chunked ? '\r\n' : ''
    if (before === '') return connection.write(chunk)
    if (chunk.length <= joinedBytesMax) return connection.writeText(before + chunk.toString('latin1') + after)
    connection.cork()
    connection.writeText(before)
    let room = connection.write(chunk)
    if (after !== '') room = connection.writeText(after)
    connection.uncork()
    return room
  }

  readonly #sendHead = (): void => {
    if (this.#head !== '') this.#connection?.writeText(this.#takeHead())
  }

  #takeHead(): string {
    const head = this.#head
    this.#head = ''
    return head
  }

  #trailers(): string {
    const lines = this.#watch.trailersFor(this.#req.rawTrailers)
    let text = ''
    for (let i = 0; i < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
    return text
  }
}
