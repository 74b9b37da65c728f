import { connect, type Socket } from 'node:net'

export interface StreamClient {
  readonly socket: Socket
  /** Bytes of the answer after its head, chunk framing included. */
  bodyBytes(): number
  /** Resolves when that many are here; rejects where the connection ends before. */
  reached(bytes: number): Promise<void>
}

/**
 * Sends one GET and reads the answer as it comes, until it has `stallAfter` bytes of the body; then it takes no more
 * until its socket is resumed.
 */
export function openStream(port: number, target: string, key: string, stallAfter: number): StreamClient {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.write(`GET ${target} HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer ${key}\r\n\r\n`)
  let head = ''
  let body = -1
  let stalled = false
  let waiting: { readonly bytes: number; readonly done: PromiseWithResolvers<void> } | null = null
  let ended: Error | null = null
  socket.on('data', (chunk: Buffer) => {
    if (body === -1) {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      if (!head.startsWith('HTTP/1.1 200 ')) return void socket.destroy(new Error(head.slice(0, end)))
      body = head.length - end - 4
      head = ''
    } else body += chunk.length
    if (waiting !== null && body >= waiting.bytes) waiting.done.resolve()
    if (body < stallAfter || stalled) return
    stalled = true
    socket.pause()
  })
  const end = (error: Error): void => {
    ended ??= error
    waiting?.done.reject(ended)
  }
  socket.on('error', end)
  socket.on('close', () => end(new Error(`the stream ended after ${body} bytes of its body`)))
  return {
    socket,
    bodyBytes: () => Math.max(0, body),
    reached: (bytes) => {
      const done = Promise.withResolvers<void>()
      waiting = { bytes, done }
      if (body >= bytes) done.resolve()
      else if (ended !== null) done.reject(ended)
      return done.promise
    },
  }
}
