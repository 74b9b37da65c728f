import { createServer } from 'node:net'

import type { Socket } from '@postern/server'

import { finding, note, type Check } from './finding.ts'
import { installationHere, servedAddresses } from './installation.ts'

/** Held by the server that runs here, or free for it to start. */
export const checkPorts: Check = async ({ io }) => {
  const here = await installationHere(io)
  if (here === null) return []
  const served = servedAddresses(here.data)
  if (served !== null) return [finding(true, 'ports', `the server listens on ${served.join(', ')}`, '')]
  if (here.sockets === null) return [note('ports', 'no server runs here')]
  const tried = await Promise.all(here.sockets.map(async (socket) => ({ socket, reason: await whyNot(socket) })))
  const busy = tried.flatMap(({ socket: { host, port }, reason }) =>
    reason === null ? [] : [`${host}:${port} (${reason})`],
  )
  const found = busy.length === 0 ? 'free; no server runs here' : `cannot be listened on: ${busy.join(', ')}`
  return [
    finding(
      busy.length === 0,
      'ports',
      found,
      'Stop what holds them, or choose others under "listen" in postern.yaml.',
    ),
  ]
}

async function whyNot({ host, port }: Socket): Promise<string | null> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)))
  })
}
