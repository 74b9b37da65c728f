import { readFileSync } from 'node:fs'

import { issue, makeAccount } from '../../tests/support/issue.ts'
import { freePorts } from '../../tests/support/ports.ts'
import { startServerProcess } from '../../tests/support/process.ts'
import { pause } from '../../tests/support/until.ts'
import { shopYaml } from './shop.ts'
import { startStreamUpstream, type StreamUpstream } from './stream-upstream.ts'

/** A server whose API streams, as those who measure its memory see it. */
export interface Gateway {
  readonly pid: number
  readonly port: number
  readonly key: string
  readonly upstream: StreamUpstream
  readonly upstreamPort: number
}

/** `downloadBytes`: how long the downloads of its upstream are. */
export async function withGateway<Value>(
  downloadBytes: number,
  work: (gateway: Gateway) => Promise<Value>,
): Promise<Value> {
  const [upstreamPort = 0] = await freePorts(1)
  const upstream = await startStreamUpstream(upstreamPort, downloadBytes)
  // Nothing here moves for minutes, on purpose.
  const server = await startServerProcess({
    yaml: shopYaml(`http://127.0.0.1:${upstreamPort}`, '{idle: 1h}'),
    listen: ', max_connections: 100000',
  })
  try {
    const { project } = await makeAccount(server.api, 'pro')
    const { value: key } = await issue(server.api, project)
    const gateway = { pid: server.pid, port: server.gatewayPort, key, upstream, upstreamPort }
    await warmUp(gateway)
    return await work(gateway)
  } finally {
    await server.kill()
    server.remove()
    await upstream.stop()
  }
}

/** What the first requests cost once (code, connections) is no part of what a stream costs. */
async function warmUp({ port, key }: Gateway): Promise<void> {
  for (let i = 0; i < 40; i++) {
    const answers = Array.from({ length: 50 }, async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/orders/1`, {
        headers: { authorization: `Bearer ${key}`, host: 'shop.test' },
      })
      await answer.text()
    })
    await Promise.all(answers)
  }
  await pause(3_000)
}

/** Resident memory of a process in bytes. */
export function rssOf(pid: number): number {
  const line = /^VmRSS:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? Number.NaN) * 1024
}
