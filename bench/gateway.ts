import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import { startServerProcess, type ServerProcess } from '../tests/support/process.ts'
import { pause } from '../tests/support/until.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { type Cpu, cpuOf, end, isInstalled, pin, startReady } from './lib/processes.ts'
import { shopYaml } from './lib/shop.ts'
import { median } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const connections = 64
const ratioMax = 1.25
const core = 0

export const gateway: Bench = {
  name: 'gateway',
  about: 'what authentication, limits, counting and log add to the CPU of a forwarded request',
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      const [upstream = 0, bare = 0, bareAgain = 0, nginx = 0] = await freePorts(4)
      const children: (ChildProcess | null)[] = []
      let server: ServerProcess | null = null
      try {
        progress('starting')
        const origin = await startReady('upstream-process.ts', [String(upstream)])
        children.push(origin)
        const yaml = shopYaml(`http://127.0.0.1:${upstream}`)
        server = await startServerProcess({ yaml })
        const { project } = await makeAccount(server.api, 'pro')
        const { value: key } = await issue(server.api, project)
        const without = await startNullGateway(folder, bare, yaml)
        const withoutAgain = await startNullGateway(folder, bareAgain, yaml)
        children.push(without, withoutAgain)
        const proxy = isInstalled('nginx') ? await startNginx(folder, nginx, upstream) : null
        children.push(proxy)
        const sides: Side[] = [
          makeSide(base, without.pid ?? 0, bare, key),
          makeSide(full, server.pid, server.gatewayPort, key),
          makeSide(again, withoutAgain.pid ?? 0, bareAgain, key),
          ...(proxy === null ? [] : [makeSide(reference, proxy.pid ?? 0, nginx, key)]),
        ]
        children.push(...sides.map(({ load }) => load))
        // Clients and upstream beside the servers, not on their core: a server that is waited for works in the same steps.
        for (const { pid = 0 } of [...sides.map(({ load }) => load), origin]) pin(pid, core + 1)
        const pinned = sides.map(({ pid }) => pin(pid, core)).every(Boolean)
        const rounds = await measure(sides, quick ? 7 : 21, quick ? 6_000 : 20_000, progress)
        return report(rounds, quick ? 6_000 : 20_000, pinned)
      } finally {
        for (const child of children) await end(child)
        await server?.kill()
        server?.remove()
      }
    }),
}

interface Side {
  readonly name: string
  readonly pid: number
  readonly load: ChildProcess
  /** No request was answered any more. */
  readonly ended: Promise<readonly [number]>
}

function makeSide(name: string, pid: number, port: number, key: string): Side {
  const load = fork(join(import.meta.dirname, 'lib/load-process.ts'), [String(port), String(connections), key])
  return { name, pid, load, ended: once(load, 'exit').then(() => [0]) }
}

function startNullGateway(folder: string, port: number, yaml: string): Promise<ChildProcess> {
  const file = join(folder, `postern-${port}.yaml`)
  const lines = ['version: 1', 'brand: acme', `listen: {gateway: "127.0.0.1:${port}"}`, yaml]
  writeFileSync(file, lines.join('\n'))
  return startReady('null-gateway.ts', [file])
}

async function startNginx(folder: string, port: number, upstream: number): Promise<ChildProcess> {
  const file = join(folder, 'nginx.conf')
  mkdirSync(join(folder, 'logs'))
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/logs/error.log;
    events { worker_connections 1024; }
    http {
      access_log off; keepalive_requests 1000000000;
      client_body_temp_path ${folder}/b; proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f;
      uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
      upstream shop { server 127.0.0.1:${upstream}; keepalive 128; }
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://shop; proxy_http_version 1.1; proxy_set_header Connection ""; }
      }
    }`,
  )
  const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' })
  await pause(500)
  return child
}

/** What every side costs in one round, in CPU microseconds a request. */
type Round = Readonly<Record<string, Cpu>>

const base = 'without'
const again = 'without, a second process (A/A)'
const full = 'with all of it'
const reference = 'nginx proxy_pass'

/** Log and counts are written within the second after their requests. */
const settleMs = 1_300
const idleMs = 5_000
/** Requests to one side before it is the next one's turn: what disturbs the machine then disturbs all sides alike. */
const slice = 1_000

async function measure(
  sides: readonly Side[],
  rounds: number,
  requests: number,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  progress('warming up')
  await sendAll(sides, 30_000)
  const idle = await usedBy(sides, () => pause(idleMs))
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) progress(`round ${round + 1} of ${rounds}`)
    const used = await usedBy(sides, () => sendAll(sides, requests))
    const share = used.ms / idle.ms
    const cost = (name: string, part: keyof Cpu) =>
      ((used.cpu[name]?.[part] ?? 0) - (idle.cpu[name]?.[part] ?? 0) * share) / requests
    measured.push(
      Object.fromEntries(sides.map(({ name }) => [name, { all: cost(name, 'all'), main: cost(name, 'main') }])),
    )
  }
  return measured
}

/** That many requests to each side, slice by slice; every other time backwards, so that nobody is always first. */
async function sendAll(sides: readonly Side[], requests: number): Promise<void> {
  for (let sent = 0; sent < requests; sent += slice)
    for (const side of (sent / slice) % 2 === 0 ? sides : sides.toReversed()) await send(side, slice)
  await pause(settleMs)
}

/** CPU of every side's process during the work, and how long that took. */
async function usedBy(
  sides: readonly Side[],
  work: () => Promise<void>,
): Promise<{ readonly cpu: Round; readonly ms: number }> {
  const start = performance.now()
  const before = sides.map(({ pid }) => cpuOf(pid))
  await work()
  const after = sides.map(({ pid }) => cpuOf(pid))
  const used = (i: number, part: keyof Cpu) => (after[i]?.[part] ?? 0) - (before[i]?.[part] ?? 0)
  const cpu = Object.fromEntries(sides.map(({ name }, i) => [name, { all: used(i, 'all'), main: used(i, 'main') }]))
  return { cpu, ms: performance.now() - start }
}

async function send({ name, load, ended }: Side, requests: number): Promise<void> {
  const answered = once(load, 'message')
  load.send(requests)
  const [good] = await Promise.race([answered, ended])
  if (good !== requests)
    throw new Error(`${name}: ${requests - Number(good)} of ${requests} were not answered with 200`)
}

function report(rounds: readonly Round[], requests: number, pinned: boolean): Report {
  const names = [full, base, again, reference].filter((name) => rounds[0]?.[name] !== undefined)
  const costs = (name: string, part: keyof Cpu) => rounds.map((round) => round[name]?.[part] ?? Number.NaN)
  const ratios = (name: string) => rounds.map((round) => (round[name]?.all ?? 0) / (round[base]?.all ?? 0))
  const spread = median(ratios(again).map((ratio) => Math.abs(ratio - 1)))
  const ratio = median(ratios(full))
  return {
    tables: [
      {
        title: `CPU a forwarded request, ${connections} connections, ${rounds.length} rounds of ${requests} requests${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'median', 'to the gateway without', 'of it the serving thread', 'all others'],
          ...names.map((name) => [
            name,
            `${median(costs(name, 'all')).toFixed(1)} µs`,
            `${median(ratios(name)).toFixed(3)} ×`,
            `${median(costs(name, 'main')).toFixed(1)} µs`,
            `${median(rounds.map((round) => (round[name]?.all ?? 0) - (round[name]?.main ?? 0))).toFixed(1)} µs`,
          ]),
        ],
      },
    ],
    bars: [
      bar(
        'authentication, limits, counting and log cost at most 25 % CPU a request',
        `${((ratio - 1) * 100).toFixed(1)} %, A/A spread ${(spread * 100).toFixed(1)} %`,
        ratio - spread <= ratioMax,
      ),
    ],
    notes: [
      'CPU of a server process with all its threads, user and system, less what it uses idle in the same time.',
      `The sides take turns of ${slice} requests; a round ends ${settleMs} ms after its last answer, so that writing the log and the counts is part of it.`,
      'With: the server as it is started, SQLite on disk, a limit and a quota on the credential.',
      'Without: the same gateway; address, path and route are matched, request id, forwarding and ten identity headers (of one constant client) are set; no credential is looked at, nothing is limited, counted or logged, and no limit headers are made.',
      'A ratio is of two measurements of one round; the A/A spread is the median distance of two processes of the gateway without.',
      ...(names.includes(reference) ? [] : ['nginx is not installed: there is no reference row.']),
    ],
  }
}
