import type { Socket } from 'node:net'

import type { Target } from '../../core/apis/upstream.ts'
import type { Attempt, RequestConnection, TunnelEnd } from './attempt.ts'
import { ChunkedDecoder } from './chunked.ts'
import { UpstreamFault } from './fault.ts'
import { type ResponseHead, headBytesMax, mayBecomeHead, parseResponseHead } from './response-head.ts'
import { openSocket } from './socket.ts'

/** Who made a connection, and gives it its requests. */
export interface ConnectionOwner {
  opened(connection: UpstreamConnection): void
  /** Its answer has ended, and it can carry another request. */
  idle(connection: UpstreamConnection): void
  closed(connection: UpstreamConnection): void
}

/** What the next bytes belong to. */
type Reading = 'nothing' | 'head' | 'length' | 'chunked' | 'close' | 'tunnel'

const interimsMax = 32
/** A body up to here that came with its head goes on as one text. */
const textBytesMax = 16_384
const noTrailers: readonly string[] = []

/**
 * One connection to a target, over which one request at a time goes. At the first thing that is not plain it is
 * closed: what follows on it could be read as the answer to somebody else's request.
 */
export class UpstreamConnection implements RequestConnection {
  written = false
  heard = false
  reused = false
  /** Monotonic ms from which it is not used any more, while it is idle. */
  idleUntil = 0
  /** For how long its upstream keeps it, as said with its last answer. */
  keepAliveMs: number | null = null
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  #attempt: Attempt | null
  #tunnel: TunnelEnd | null = null
  #reading: Reading = 'nothing'
  /** Bytes of a body with a length that are still to come. */
  #left = 0
  #decoder: ChunkedDecoder | null = null
  #heldHead = ''
  #interims = 0
  #persistent = false
  #requestSent = false
  #paused = false
  #open = false
  #error: Error | null = null

  constructor(target: Target, owner: ConnectionOwner, first: Attempt) {
    this.#owner = owner
    this.#attempt = first
    const read = (length: number, bytes: Buffer): boolean => this.#read(length, bytes)
    this.#socket = openSocket(target, read, () => {
      this.#open = true
      owner.opened(this)
      this.#begin(first)
    })
      .on('drain', () => (this.#tunnel ?? this.#attempt)?.drained())
      .on('end', () => this.#ended())
      .on('error', (error) => void (this.#error = error))
      .on('close', () => this.#closed())
  }

  carries(attempt: Attempt): boolean {
    return this.#attempt === attempt
  }

  /** Of an idle one: whether it may be used again at that instant (monotonic ms). */
  usable(now: number): boolean {
    return now < this.idleUntil && !this.#socket.destroyed
  }

  /** The next request of an idle connection. */
  take(attempt: Attempt): void {
    this.reused = true
    this.#begin(attempt)
  }

  #begin(attempt: Attempt): void {
    this.#attempt = attempt
    this.#reading = 'head'
    this.#interims = 0
    this.#requestSent = false
    this.written = false
    this.heard = false
    try {
      attempt.connected(this)
    } catch (error) {
      this.#broken(attempt, error)
    }
  }

  // ---- the request -------------------------------------------------------------------------------------

  writeText(text: string): boolean {
    this.written = true
    return this.#socket.write(text, 'latin1')
  }

  write(bytes: Buffer): boolean {
    this.written = true
    return this.#socket.write(bytes)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  requestSent(): void {
    this.#requestSent = true
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }

  destroy(): void {
    this.#attempt = null
    this.#socket.destroy()
  }

  // ---- another protocol, from 101 on -------------------------------------------------------------------

  tunnelTo(end: TunnelEnd): void {
    this.#tunnel = end
  }

  endTunnel(): void {
    this.#socket.end()
  }

  destroySoon(): void {
    this.#socket.destroySoon()
  }

  // ---- the answer --------------------------------------------------------------------------------------

  #read(length: number, bytes: Buffer): boolean {
    const attempt = this.#attempt
    try {
      this.#readOn(attempt, bytes, length)
    } catch (error) {
      this.#broken(attempt, error)
    }
    return !this.#paused
  }

  #readOn(attempt: Attempt | null, bytes: Buffer, length: number): void {
    this.heard = true
    if (this.#tunnel !== null) {
      this.#paused = !this.#tunnel.data(copyOf(bytes, 0, length))
    } else if (attempt === null || this.#reading === 'nothing') this.destroy()
    else if (this.#reading === 'head') this.#readHead(attempt, bytes, length)
    else this.#readBody(attempt, bytes, 0, length)
  }

  #readHead(attempt: Attempt, bytes: Buffer, length: number): void {
    const held = this.#heldHead
    const text = held + bytes.toString('latin1', 0, Math.min(length, headBytesMax - held.length))
    const blank = text.indexOf('\r\n\r\n', Math.max(0, held.length - 3))
    if (blank === -1) {
      if (text.length === headBytesMax || !mayBecomeHead(text)) return this.#fail('no_http')
      this.#heldHead = text
      return
    }
    this.#heldHead = ''
    const end = blank + 4
    const at = end - held.length
    const head = parseResponseHead(text, end, attempt.method)
    if (head === null) return this.#fail('no_http')
    if (head.status === 101) this.#switch(attempt, head, copyOf(bytes, at, length))
    else if (head.status < 200) this.#interim(attempt, head, copyOf(bytes, at, length))
    else if (head.length <= textBytesMax && isWhole(head, text.length - end)) {
      this.#over(head.persistent, head.keepAliveMs, length - at > head.length)
      attempt.answered(head, text.slice(end, end + head.length))
    } else this.#answer(attempt, head, bytes, at, length)
  }

  #interim(attempt: Attempt, head: ResponseHead, rest: Buffer): void {
    if (++this.#interims > interimsMax) return this.#fail('no_http')
    attempt.interim(head)
    if (rest.length > 0 && this.#attempt === attempt) this.#readHead(attempt, rest, rest.length)
  }

  #switch(attempt: Attempt, head: ResponseHead, first: Buffer): void {
    if (!attempt.upgrades) return this.#fail('no_http')
    this.#attempt = null
    attempt.switched(head, first)
  }

  #answer(attempt: Attempt, head: ResponseHead, bytes: Buffer, from: number, to: number): void {
    this.#reading = head.framing === 'none' ? 'length' : head.framing
    this.#left = head.length
    this.#decoder = head.framing === 'chunked' ? new ChunkedDecoder() : null
    this.#persistent = head.persistent
    this.keepAliveMs = head.keepAliveMs
    attempt.answerStart(head)
    if (to > from && this.#attempt === attempt) this.#readBody(attempt, bytes, from, to)
  }

  #readBody(attempt: Attempt, bytes: Buffer, from: number, to: number): void {
    if (this.#decoder !== null) return this.#readChunks(attempt, this.#decoder, bytes, from, to)
    if (this.#reading === 'close') return this.chunkData(bytes, from, to)
    const until = Math.min(to, from + this.#left)
    this.#left -= until - from
    this.chunkData(bytes, from, until)
    if (this.#left === 0 && this.#attempt === attempt) this.#end(attempt, noTrailers, until < to)
  }

  #readChunks(attempt: Attempt, decoder: ChunkedDecoder, bytes: Buffer, from: number, to: number): void {
    const stopped = decoder.read(bytes, from, to, this)
    if (this.#attempt !== attempt) return
    if (decoder.state === 'broken') this.#fail('no_http')
    else if (decoder.state === 'ended') this.#end(attempt, decoder.trailers, stopped < to)
  }

  /** Data of a body, also as the decoder finds it. */
  chunkData(bytes: Buffer, start: number, end: number): void {
    if (this.#attempt?.answerData(copyOf(bytes, start, end)) === false) this.#paused = true
  }

  #end(attempt: Attempt, trailers: readonly string[], more: boolean): void {
    this.#over(this.#persistent, this.keepAliveMs, more)
    attempt.answerEnd(trailers)
  }

  /** The answer is whole. `more`: something came behind it, which nobody asked for. */
  #over(persistent: boolean, keepAliveMs: number | null, more: boolean): void {
    this.#attempt = null
    this.#reading = 'nothing'
    this.#decoder = null
    this.#paused = false
    this.keepAliveMs = keepAliveMs
    if (persistent && this.#requestSent && !more) this.#owner.idle(this)
    else this.#socket.destroy()
  }

  // ---- ends --------------------------------------------------------------------------------------------

  #ended(): void {
    if (this.#tunnel !== null) return this.#tunnel.ended()
    const attempt = this.#attempt
    if (attempt === null || this.#reading !== 'close') return this.#fail('closed')
    try {
      this.#end(attempt, noTrailers, false)
    } catch (error) {
      this.#broken(attempt, error)
    }
  }

  #closed(): void {
    this.#owner.closed(this)
    this.#tunnel?.closed()
    this.#fail(this.#open ? 'closed' : 'unreachable', this.#error ?? undefined)
  }

  #fail(reason: UpstreamFault['reason'], cause?: unknown): void {
    const attempt = this.#attempt
    this.destroy()
    attempt?.failed(new UpstreamFault(reason, cause))
  }

  /** What the attempt was told, it could not bear. */
  #broken(attempt: Attempt | null, error: unknown): void {
    if (this.#attempt === attempt) this.destroy()
    attempt?.failed(new UpstreamFault('internal', error))
  }
}

function isWhole({ framing, length }: ResponseHead, there: number): boolean {
  return framing === 'none' || (framing === 'length' && there >= length)
}

/** The buffer that was read into is used again with the next read. */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start)
  bytes.copy(copy, 0, start, end)
  return copy
}
