import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

/** Who follows a body on its way to the upstream. */
export interface BodyWatch {
  /** The upstream is there and asks for the first byte. */
  bodyWanted(): void
  bodyProgress(): void
  bodyTooLarge(): void
}

/**
 * The body of a request as undici takes it: chunks pass from the client's parser to the upstream's socket with
 * back-pressure, counted, and nothing holds them. Not the request itself, because undici destroys the body that it
 * is given, and the client's connection has to live on to hear why.
 */
export class RequestBody extends EventEmitter {
  destroyed = false
  /** The upstream takes no more for now. */
  paused = true
  readonly #req: IncomingMessage
  readonly #watch: BodyWatch
  #left: number
  #wanted = false

  constructor(req: IncomingMessage, bytesMax: number, watch: BodyWatch) {
    super()
    this.#req = req
    this.#left = bytesMax
    this.#watch = watch
  }

  /** undici asks for no more of a stream than this class has, and knows streams by `pipe` and `on`. */
  asStream(): Readable {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above: a subset is all that is used
    return this as unknown as Readable
  }

  pipe(): never {
    throw new Error('the body of a request is not piped')
  }

  resume(): void {
    if (this.destroyed) return
    this.paused = false
    if (!this.#wanted) {
      this.#wanted = true
      this.#watch.bodyWanted()
      this.#req.on('data', this.#onData)
      this.#req.on('end', this.#onEnd)
    }
    this.#req.resume()
  }

  pause(): void {
    this.paused = true
    this.#req.pause()
  }

  /** The upstream needs it no longer; the request itself goes on. */
  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.#req.off('data', this.#onData)
    this.#req.off('end', this.#onEnd)
    this.#req.pause()
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#left -= chunk.length
    if (this.#left < 0) return this.#watch.bodyTooLarge()
    this.#watch.bodyProgress()
    this.emit('data', chunk)
  }

  readonly #onEnd = (): void => {
    this.emit('end')
  }
}
