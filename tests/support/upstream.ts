import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An upstream that answers what it was sent, and remembers it. */
export interface EchoUpstream {
  readonly url: string
  readonly seen: readonly Echo[]
  clear(): void
  close(): Promise<void>
}

export interface Echo {
  readonly method: string
  readonly target: string
  /** As received: name, value, name, value, … */
  readonly headers: readonly string[]
  readonly body: string
}

/** `answer`: what it says instead of what it was sent. */
export async function startEchoUpstream(answer: (echo: Echo) => unknown = (echo) => echo): Promise<EchoUpstream> {
  const seen: Echo[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const echo = {
        method: request.method ?? '',
        target: request.url ?? '',
        headers: request.rawHeaders,
        body: Buffer.concat(chunks).toString('utf8'),
      }
      seen.push(echo)
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify(answer(echo)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    clear: () => void seen.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
