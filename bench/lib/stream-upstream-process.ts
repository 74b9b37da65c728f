import { createServer, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { StreamReport } from './stream-upstream.ts'

/**
 * Run as a process of its own, with its port and the length of a download. `/v1/orders/…` with `download` in it is
 * that many bytes, as fast as they are taken; with `events` a stream that says something when it is opened and then
 * only when it is told to. A message `report` is answered, `event` lets every stream say something.
 */
const [port, downloadBytes] = [Number(process.argv[2]), Number(process.argv[3])]
const chunk = Buffer.alloc(65_536, 'x')

const downloads = new Map<string, Socket>()
const events = new Set<ServerResponse>()

const server = createServer((request, response) => {
  const id = request.url?.split('/').at(-1) ?? ''
  request.resume()
  if (id.startsWith('download')) download(id, response)
  else if (id.startsWith('events')) stream(response)
  else request.on('end', () => response.writeHead(200, { 'content-length': '2' }).end('ok'))
})

function download(id: string, response: ServerResponse): void {
  const { socket } = response
  if (socket === null) return
  downloads.set(id, socket)
  response.on('close', () => downloads.delete(id))
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': downloadBytes })
  let left = downloadBytes
  const more = (): void => {
    while (left > 0) {
      const part = left < chunk.length ? chunk.subarray(0, left) : chunk
      left -= part.length
      if (!response.write(part)) return
    }
    response.off('drain', more).end()
  }
  response.on('drain', more)
  more()
}

function stream(response: ServerResponse): void {
  events.add(response)
  response.on('close', () => events.delete(response))
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.write('data: opened\n\n')
}

process.on('message', (message) => {
  if (message === 'event') for (const response of events) response.write('data: said\n\n')
  const open = [...downloads].map(([id, socket]) => {
    const { bytesWritten, writableLength, remotePort = 0 } = socket
    return [id, { bytes: bytesWritten - writableLength, port: remotePort }] as const
  })
  const report: StreamReport = { downloads: Object.fromEntries(open) }
  process.send?.(report)
})

server.keepAliveTimeout = 120_000
server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => process.send?.('ready'))
