import { Agent, request } from 'node:http'

/** Clients that keep their connections, as programs do: for many requests at once. */
export interface Clients {
  /** Status of the answer; 0 where the connection broke. */
  get(target: string, headers: Readonly<Record<string, string>>): Promise<number>
  close(): void
}

export function keepAliveClients(port: number, count: number): Clients {
  const agent = new Agent({ keepAlive: true, maxSockets: count })
  return {
    get: (target, headers) =>
      new Promise((resolve) => {
        const sent = request({ host: '127.0.0.1', port, path: target, headers, agent }, (response) => {
          response
            .resume()
            .on('end', () => resolve(response.statusCode ?? 0))
            .on('error', () => resolve(0))
        })
        sent.on('error', () => resolve(0)).end()
      }),
    close: () => agent.destroy(),
  }
}
