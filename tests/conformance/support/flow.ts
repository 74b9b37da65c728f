import { existsSync, readFileSync } from 'node:fs'
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

const mebibyte = 1024 * 1024

/**
 * What may be on its way through two connections of which one does not move: what their systems hold at most, for
 * sending and receiving each, and a little in the gateway (`gateway.test.ts` counts that to the byte).
 */
export const inFlightMax = 2 * (systemMax('tcp_wmem', 4) + systemMax('tcp_rmem', 6)) + mebibyte

/** As the system is set (tcp(7)), otherwise as Linux is where nobody has set it. */
function systemMax(name: string, mebibytes: number): number {
  const file = `/proc/sys/net/ipv4/${name}`
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split(/\s+/)[2]) : mebibytes * mebibyte
}
