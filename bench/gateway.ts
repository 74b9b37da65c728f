import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import type { ServerProcess } from '../tests/support/process.ts'
import { bar, type Bar, type Bench, type Report, unmeasured } from './lib/bench.ts'
import { heldCredentials, startFullServer } from './lib/full-server.ts'
import { startNginx } from './lib/nginx.ts'
import { installPeers } from './lib/peers.ts'
import { end, isInstalled, startReady } from './lib/processes.ts'
import { getRequest, shopYaml } from './lib/shop.ts'
import {
  connections,
  cost,
  makeSide,
  measure,
  pinSides,
  ratios,
  type Round,
  settleMs,
  type Side,
  slice,
  spread,
} from './lib/sides.ts'
import { median } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const without = 'without'
const withoutAgain = 'without, a second process (A/A)'
const full = 'with all of it'
const fullAgain = 'with all of it, a second process (A/A)'
const nginx = 'nginx proxy_pass'
const httpxy = 'httpxy'
const fastify = '@fastify/http-proxy with an equal check'

/** With everything against the same gateway without. */
const ratioMax = 1.25
/** How many times the CPU of ours a peer's request costs at least. */
const timesMin: readonly { readonly peer: string; readonly times: number }[] = [
  { peer: nginx, times: 0.33 },
  { peer: httpxy, times: 1.5 },
  { peer: fastify, times: 2 },
]

export const gateway: Bench = {
  name: 'gateway',
  about: 'CPU of a forwarded request: with and without the decision, and beside nginx, httpxy and @fastify/http-proxy',
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      installPeers(progress)
      const servers: ServerProcess[] = []
      const children: ChildProcess[] = []
      try {
        progress('starting')
        const [upstream = 0] = await freePorts(1)
        const origin = await startReady('upstream-process.ts', [String(upstream)])
        children.push(origin)
        const sides = await startSides({ folder, upstream, servers, children })
        const pinned = pinSides(sides, origin)
        const plan = { rounds: quick ? 7 : 17, slices: quick ? 4 : 16, warmUpSlices: quick ? 10 : 30 }
        const rounds = await measure(sides, plan, progress)
        return report(rounds, plan.slices * slice, pinned)
      } finally {
        for (const child of children) await end(child)
        for (const server of servers) {
          await server.kill()
          server.remove()
        }
      }
    }),
}

interface Started {
  readonly folder: string
  readonly upstream: number
  /** Whatever is started goes in here at once, so that it is ended whatever happens. */
  readonly servers: ServerProcess[]
  readonly children: ChildProcess[]
}

async function startSides(started: Started): Promise<readonly Side[]> {
  const { folder, upstream, children } = started
  const [first = 0, second = 0, nginxPort = 0, httpxyPort = 0, fastifyPort = 0] = await freePorts(5)
  const { key, ...withAll } = await startFull(started)
  const { key: keyAgain, ...withAllAgain } = await startFull(started)
  const request = getRequest(key)
  const start = async (program: string, args: readonly string[]): Promise<number> => {
    const child = await startReady(program, args)
    children.push(child)
    return child.pid ?? 0
  }
  const sides = [
    makeSide({
      name: without,
      pid: await start('null-gateway.ts', [nullYaml(folder, first, upstream)]),
      port: first,
      request,
    }),
    makeSide({ name: full, ...withAll, request }),
    makeSide({
      name: withoutAgain,
      pid: await start('null-gateway.ts', [nullYaml(folder, second, upstream)]),
      port: second,
      request,
    }),
    makeSide({ name: fullAgain, ...withAllAgain, request: getRequest(keyAgain) }),
  ]
  if (isInstalled('nginx')) {
    const child = await startNginx(folder, nginxPort, upstream)
    children.push(child)
    sides.push(makeSide({ name: nginx, pid: child.pid ?? 0, port: nginxPort, request }))
  }
  const peerArgs = [String(httpxyPort), String(upstream)]
  sides.push(makeSide({ name: httpxy, pid: await start('../peers/httpxy.ts', peerArgs), port: httpxyPort, request }))
  const keys = join(folder, 'keys.txt')
  writeFileSync(keys, manyKeys(key))
  const pid = await start('../peers/fastify-http-proxy.ts', [String(fastifyPort), String(upstream), keys])
  sides.push(makeSide({ name: fastify, pid, port: fastifyPort, request }))
  children.push(...sides.map(({ load }) => load))
  return sides
}

async function startFull({ upstream, servers }: Started): Promise<{ pid: number; port: number; key: string }> {
  const server = await startFullServer(`http://127.0.0.1:${upstream}`)
  servers.push(server)
  const { project } = await makeAccount(server.api, 'pro')
  const { value: key } = await issue(server.api, project)
  return { pid: server.pid, port: server.gatewayPort, key }
}

function nullYaml(folder: string, port: number, upstream: number): string {
  const file = join(folder, `postern-${port}.yaml`)
  const lines = ['version: 1', 'brand: acme', `listen: {gateway: "127.0.0.1:${port}"}`]
  writeFileSync(file, [...lines, shopYaml(`http://127.0.0.1:${upstream}`)].join('\n'))
  return file
}

/** The one that is used, and as many others as our server holds. */
function manyKeys(key: string): string {
  return Array.from({ length: heldCredentials }, (_, i) => `acme_sk_live_${String(i).padStart(50, '0')}`)
    .concat(key)
    .join('\n')
}

function report(rounds: readonly Round[], requests: number, pinned: boolean): Report {
  const all = [full, fullAgain, without, withoutAgain, ...timesMin.map(({ peer }) => peer)]
  const names = all.filter((name) => rounds[0]?.[name] !== undefined)
  const ratio = median(ratios(rounds, full, without))
  const apart = spread(rounds, without, withoutAgain)
  return {
    tables: [
      {
        title: `CPU a forwarded request, 1 KB answer, ${connections} connections, ${rounds.length} rounds of ${requests} requests${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'median', 'to ours with all of it', 'to ours without', 'of it the serving thread', 'all others'],
          ...names.map((name) => [
            name,
            `${cost(rounds, name, 'all').toFixed(1)} µs`,
            `${median(ratios(rounds, name, full)).toFixed(3)} ×`,
            `${median(ratios(rounds, name, without)).toFixed(3)} ×`,
            `${cost(rounds, name, 'main').toFixed(1)} µs`,
            `${median(rounds.map((round) => (round[name]?.all ?? 0) - (round[name]?.main ?? 0))).toFixed(1)} µs`,
          ]),
        ],
      },
    ],
    bars: [
      bar(
        'authentication, limits, counting and log cost at most 25 % CPU a request',
        `${((ratio - 1) * 100).toFixed(1)} %, A/A spread ${(apart * 100).toFixed(1)} %`,
        ratio - apart <= ratioMax,
      ),
      ...timesMin.map((wanted) => peerBar(rounds, wanted)),
    ],
    notes: [
      'CPU of a server process with all its threads, user and system, less what it uses idle in the same time.',
      `The sides take turns of ${slice} requests; a round ends ${settleMs} ms after its last answer, so that writing the log and the counts is part of it.`,
      `With: the server as it is started, SQLite on disk, ${heldCredentials + 1} credentials, a limit and a quota on the one that is used.`,
      'Without: the same gateway; address, path and route are matched, request id, forwarding and ten identity headers (of one constant client) are set; no credential is looked at, nothing is limited, counted or logged, and no limit headers are made.',
      'N × X: the CPU of X a request over ours with everything. A ratio is of two measurements of one round; its A/A spread is the median distance of two processes of the same gateway.',
      'nginx and httpxy forward without a check. @fastify/http-proxy checks as its documentation advises, in a preHandler: SHA-256, a Map of as many keys, scope, GCRA, a count and last use, two identity headers; no request log and no file.',
      ...(names.includes(nginx) ? [] : ['nginx is not installed: there is no row of it.']),
    ],
  }
}

function peerBar(rounds: readonly Round[], { peer, times }: (typeof timesMin)[number]): Bar {
  const promise = `with all of it at least ${times} × ${peer}`
  if (rounds[0]?.[peer] === undefined) return unmeasured(promise, `${peer} is not installed`)
  const ratio = median(ratios(rounds, peer, full))
  const apart = spread(rounds, full, fullAgain)
  return bar(promise, `${ratio.toFixed(2)} ×, A/A spread ${(apart * 100).toFixed(1)} %`, ratio * (1 + apart) >= times)
}
