import type { Socket } from 'node:net'

/** Chunks of 64 KiB for as long as the other side takes them. */
export function writeWithoutEnd(socket: Socket): void {
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 0x78), Buffer.from('\r\n')])
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  }
  socket.on('drain', more)
  more()
}

/** Bytes that a socket gave to the system once it gives no more: the same through ten looks, 30 ms apart. */
export async function stalled(find: () => Socket | undefined): Promise<number> {
  let before = -1
  for (let same = 0; same < 10;) {
    await new Promise((resolve) => void setTimeout(resolve, 30))
    const socket = find()
    const sent = socket === undefined ? 0 : socket.bytesWritten - socket.writableLength
    same = sent === before && sent > 0 ? same + 1 : 0
    before = sent
  }
  return before
}
