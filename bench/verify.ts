import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import type { ServerProcess } from '../tests/support/process.ts'
import { managementKey } from '../tests/support/server.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { startFullServer } from './lib/full-server.ts'
import { installPeers } from './lib/peers.ts'
import { end, startSaying } from './lib/processes.ts'
import { connections, cost, makeSide, measure, pinSides, ratios, type Round, settleMs, spread } from './lib/sides.ts'
import { median } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const timesMin = 20

const ours = 'POST /api/v1/verify'
const again = 'POST /api/v1/verify, a second process (A/A)'
const unlimited = 'better-auth verifyApiKey, no rate limit'
const limited = 'better-auth verifyApiKey, rate limit'

/** It is so slow that a slice of a thousand would let the machine change between two turns. */
const peerSlice = 100

export const verify: Bench = {
  name: 'verify',
  about: "POST /api/v1/verify beside better-auth's verification of a key, both on SQLite",
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      installPeers(progress)
      const servers: ServerProcess[] = []
      const children: ChildProcess[] = []
      try {
        progress('starting')
        const [first, second] = [
          await startFullServer('http://127.0.0.1:9'),
          await startFullServer('http://127.0.0.1:9'),
        ]
        servers.push(first, second)
        const sides = [
          makeSide({ name: ours, pid: first.pid, ...(await verifyRequest(first)) }),
          makeSide({ name: again, pid: second.pid, ...(await verifyRequest(second)) }),
          await startBetterAuth(folder, unlimited, 'unlimited', children),
          await startBetterAuth(folder, limited, 'limited', children),
        ]
        children.push(...sides.map(({ load }) => load))
        const pinned = pinSides(sides, null)
        const plan = { rounds: quick ? 7 : 17, slices: quick ? 2 : 8, warmUpSlices: quick ? 5 : 20 }
        return report(await measure(sides, plan, progress), pinned)
      } finally {
        for (const child of children) await end(child)
        for (const server of servers) {
          await server.kill()
          server.remove()
        }
      }
    }),
}

/** What a middleware sends that asks about a request with a key. */
async function verifyRequest(server: ServerProcess): Promise<{ readonly port: number; readonly request: string }> {
  const { project } = await makeAccount(server.api, 'pro')
  const { value: key } = await issue(server.api, project)
  const port = Number(new URL(server.console).port)
  const headers = { Host: 'shop.test', 'User-Agent': 'bench/1', Accept: '*/*', Authorization: `Bearer ${key}` }
  const body = { api: 'shop', method: 'GET', path: '/v1/orders/1', headers, ip: '192.0.2.7' }
  return { port, request: post('/api/v1/verify', body, `Authorization: Bearer ${managementKey}\r\n`) }
}

async function startBetterAuth(
  folder: string,
  name: string,
  mode: 'limited' | 'unlimited',
  children: ChildProcess[],
): Promise<ReturnType<typeof makeSide>> {
  const [port = 0] = await freePorts(1)
  const own = join(folder, mode)
  mkdirSync(own)
  const { child, said } = await startSaying('../peers/better-auth.ts', [String(port), own, mode])
  children.push(child)
  const { key } = JSON.parse(said) as { readonly key: string }
  return makeSide({ name, pid: child.pid ?? 0, port, request: post('/verify', { key }, ''), slice: peerSlice })
}

function post(path: string, body: object, headers: string): string {
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: */*\r\n${headers}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${text}`
}

function report(rounds: readonly Round[], pinned: boolean): Report {
  const apart = spread(rounds, ours, again)
  const times = (name: string) => median(ratios(rounds, name, ours))
  return {
    tables: [
      {
        title: `CPU a verified key, ${connections} connections, ${rounds.length} rounds${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'median', 'to ours', 'of it the serving thread'],
          ...[ours, again, unlimited, limited].map((name) => [
            name,
            `${cost(rounds, name, 'all').toFixed(1)} µs`,
            `${times(name).toFixed(2)} ×`,
            `${cost(rounds, name, 'main').toFixed(1)} µs`,
          ]),
        ],
      },
    ],
    bars: [unlimited, limited].map((name) =>
      bar(
        `at least ${timesMin} × ${name}`,
        `${times(name).toFixed(1)} ×, A/A spread ${(apart * 100).toFixed(1)} %`,
        times(name) * (1 + apart) >= timesMin,
      ),
    ),
    notes: [
      'N × X: the CPU of X a request over ours, both of one round; with all threads, user and system, less what the process uses idle in the same time.',
      `The sides take turns of 1000 requests (better-auth: ${peerSlice}); a round ends ${settleMs} ms after its last answer, so that writing counts is part of it.`,
      'Ours: the server as it is started, SQLite on disk, 100,001 credentials, a limit and a quota. The caller identifies himself with the management key, which is decided and charged like any other; the answer carries the whole trace and the headers for the upstream.',
      'better-auth: a bare node:http server around auth.api.verifyApiKey, SQLite in WAL mode with synchronous NORMAL, 100,001 keys; anybody may call it.',
    ],
  }
}
