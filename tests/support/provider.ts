import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as the provider of a model got it. */
export interface SentToProvider {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A provider of models that answers as the test says. */
export interface Provider {
  readonly url: string
  readonly seen: SentToProvider[]
  answer: (request: SentToProvider, response: ServerResponse) => void
  /** Exchanges that were cut off before their answer was whole. */
  readonly cut: SentToProvider[]
  close(): Promise<void>
}

export async function startProvider(): Promise<Provider> {
  const provider = {
    seen: [] as SentToProvider[],
    cut: [] as SentToProvider[],
    answer: (_request: SentToProvider, response: ServerResponse): void => void response.end(),
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const sent = { method, path: url, headers, body: Buffer.concat(chunks) }
      provider.seen.push(sent)
      response.once('close', () => {
        if (!response.writableFinished) provider.cut.push(sent)
      })
      provider.answer(sent, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(provider, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

/** A chat completion, whole. */
export function completion(input: number, output: number): (request: SentToProvider, response: ServerResponse) => void {
  return (_request, response) => {
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ choices: [{ message: { content: 'x' } }], usage }))
  }
}
