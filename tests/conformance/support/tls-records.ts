import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** A relay in front of a TLS listener that keeps what the listener sends, so that its records can be read. */
export async function startRelay(port: number): Promise<{
  readonly port: number
  /** Types of the records that the listener sent (RFC 5246, section 6.2.1): 21 is an alert, 23 is data. */
  types(): readonly number[]
  close(): void
}> {
  const chunks: Buffer[] = []
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    far.on('data', (chunk: Buffer) => chunks.push(chunk))
    client.pipe(far).pipe(client)
    for (const socket of [client, far])
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy()
          far.destroy()
        })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    // A listening TCP server has an address with a port.
    port: (server.address() as AddressInfo).port,
    types: () => {
      const bytes = Buffer.concat(chunks)
      const types: number[] = []
      for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at] ?? 0)
      return types
    },
    close: () => void server.close(),
  }
}
