import type { Socket } from 'node:net'

/**
 * Calls `answered` with the status of every answer on this socket once all of it is here. Only answers with a length
 * are read, because nothing else comes here.
 */
export function readAnswers(socket: Socket, answered: (status: number) => void): void {
  let held = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    held += text
    const end = held.indexOf('\r\n\r\n')
    if (end === -1) return
    const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(held.slice(0, end))?.[1] ?? 0)
    if (held.length < end + 4 + length) return
    const status = Number(held.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    held = held.slice(end + 4 + length)
    answered(status)
  })
}
