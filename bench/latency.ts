import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import type { ServerProcess } from '../tests/support/process.ts'
import { pause } from '../tests/support/until.ts'
import type { Bench, Report } from './lib/bench.ts'
import { startFullServer } from './lib/full-server.ts'
import { startNginx } from './lib/nginx.ts'
import type { Pace } from './lib/paced-load-process.ts'
import { end, isInstalled, pin, startReady } from './lib/processes.ts'
import { getRequest } from './lib/shop.ts'
import { clientCore, makeSide, serverCore } from './lib/sides.ts'
import { median, quantile } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const direct = 'the upstream itself'
const again = 'the upstream itself, once more (A/A)'
const ours = 'through the gateway, with all of it'
const nginx = 'through nginx'

export const latency: Bench = {
  name: 'latency',
  about: 'latency that the gateway adds at half of its capacity, beside what nginx adds',
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      const servers: ServerProcess[] = []
      const children: ChildProcess[] = []
      try {
        progress('starting')
        const [upstream = 0, nginxPort = 0] = await freePorts(2)
        const origin = await startReady('upstream-process.ts', [String(upstream)])
        const server = await startFullServer(`http://127.0.0.1:${upstream}`)
        children.push(origin)
        servers.push(server)
        const { project } = await makeAccount(server.api, 'pro')
        const { value: key } = await issue(server.api, project)
        const ways = [
          makeWay(direct, upstream, key),
          makeWay(ours, server.gatewayPort, key),
          makeWay(again, upstream, key),
        ]
        if (isInstalled('nginx')) {
          const proxy = await startNginx(folder, nginxPort, upstream)
          children.push(proxy)
          pin(proxy.pid ?? 0, serverCore)
          ways.push(makeWay(nginx, nginxPort, key))
        }
        children.push(...ways.map(({ load }) => load))
        for (const { pid = 0 } of [origin, ...ways.map(({ load }) => load)]) pin(pid, clientCore)
        const pinned = pin(server.pid, serverCore)
        progress('looking for the capacity')
        const capacity = await capacityOf(server, key, children)
        const pace = { rate: Math.round(capacity / 2), seconds: quick ? 1 : 4 }
        for (const way of ways) await send(way, { ...pace, seconds: 3 })
        const rounds = await measure(ways, pace, quick ? 7 : 15, progress)
        return report(rounds, capacity, pace, pinned)
      } finally {
        for (const child of children.toReversed()) await end(child)
        for (const server of servers) {
          await server.kill()
          server.remove()
        }
      }
    }),
}

interface Way {
  readonly name: string
  readonly load: ChildProcess
  /** No request was answered any more. */
  readonly ended: Promise<never>
}

function makeWay(name: string, port: number, key: string): Way {
  const program = join(import.meta.dirname, 'lib/paced-load-process.ts')
  const load = fork(program, [String(port), getRequest(key)])
  const ended = once(load, 'exit').then(() => {
    throw new Error(`${name}: the load ended`)
  })
  // At the end of the bench it is no fault.
  ended.catch(() => {})
  return { name, load, ended }
}

/** Answers a second with 64 connections that each ask again as soon as they are answered. */
async function capacityOf(server: ServerProcess, key: string, children: ChildProcess[]): Promise<number> {
  const { load } = makeSide({ name: ours, pid: server.pid, port: server.gatewayPort, request: getRequest(key) })
  children.push(load)
  pin(load.pid ?? 0, clientCore)
  const seconds: number[] = []
  for (let i = 0; i < 8; i++) {
    const start = performance.now()
    load.send(requestsOnce)
    await once(load, 'message')
    seconds.push((performance.now() - start) / 1_000)
  }
  await end(load)
  return requestsOnce / median(seconds.slice(3))
}

const requestsOnce = 5_000

interface Quantiles {
  readonly p50: number
  readonly p99: number
}

type Round = Readonly<Record<string, Quantiles>>

async function measure(
  ways: readonly Way[],
  pace: Pace,
  count: number,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < count; round++) {
    if (round % 5 === 0) progress(`round ${round + 1} of ${count}, ${pace.rate} requests a second`)
    const measured: [string, Quantiles][] = []
    for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
      const latencies = await send(way, pace)
      measured.push([way.name, { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }])
      await pause(100)
    }
    rounds.push(Object.fromEntries(measured))
  }
  return rounds
}

async function send({ load, ended }: Way, pace: Pace): Promise<readonly number[]> {
  const answered = once(load, 'message')
  load.send(pace)
  const [latencies] = await Promise.race([answered, ended])
  return latencies
}

function report(rounds: readonly Round[], capacity: number, { rate, seconds }: Pace, pinned: boolean): Report {
  const names = [direct, again, ours, nginx].filter((name) => rounds[0]?.[name] !== undefined)
  const of = (name: string, part: keyof Quantiles) => rounds.map((round) => round[name]?.[part] ?? Number.NaN)
  const added = (name: string, part: keyof Quantiles) =>
    median(rounds.map((round) => (round[name]?.[part] ?? Number.NaN) - (round[direct]?.[part] ?? Number.NaN)))
  return {
    tables: [
      {
        title: `Latency at ${rate} requests a second, 1 KB answer, median of ${rounds.length} rounds of ${seconds} s${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'p50', 'added', 'p99', 'added'],
          ...names.map((name) => [
            name,
            ms(median(of(name, 'p50'))),
            name === direct ? '' : ms(added(name, 'p50')),
            ms(median(of(name, 'p99'))),
            name === direct ? '' : ms(added(name, 'p99')),
          ]),
        ],
      },
    ],
    bars: [],
    notes: [
      `Half of the ${Math.round(capacity)} requests a second that the gateway answers on its core with 64 connections; nginx and the upstream get the same rate.`,
      'Requests are sent when they are due, whether or not those before were answered; a latency begins when its request was due. Added: over the upstream itself in the same round.',
      ...(names.includes(nginx) ? [] : ['nginx is not installed: there is no row of it.']),
    ],
  }
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`
}
