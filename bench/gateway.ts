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
      const [upstream = 0, bare = 0, nginx = 0] = await freePorts(3)
      const children: (ChildProcess | null)[] = []
      let server: ServerProcess | null = null
      try {
        progress('starting')
        children.push(await startReady('upstream-process.ts', [String(upstream)]))
        const yaml = shopYaml(`http://127.0.0.1:${upstream}`)
        server = await startServerProcess({ yaml })
        const { project } = await makeAccount(server.api, 'pro')
        const { value: key } = await issue(server.api, project)
        const without = await startNullGateway(folder, bare, yaml)
        children.push(without)
        const reference = isInstalled('nginx') ? await startNginx(folder, nginx, upstream) : null
        children.push(reference)
        const sides: Side[] = [
          makeSide('with all of it', server.pid, server.gatewayPort, key),
          makeSide('without', without.pid ?? 0, bare, key),
          ...(reference === null ? [] : [makeSide('nginx proxy_pass', reference.pid ?? 0, nginx, key)]),
        ]
        children.push(...sides.map(({ load }) => load))
        const pinned = sides.map(({ pid }) => pin(pid, core)).every(Boolean)
        const requests = quick ? 3_000 : 12_000
        const rounds = await measure(sides, quick ? 7 : 25, requests, progress)
        return report(rounds, requests, pinned)
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
}

function makeSide(name: string, pid: number, port: number, key: string): Side {
  const load = fork(join(import.meta.dirname, 'lib/load-process.ts'), [String(port), String(connections), key])
  return { name, pid, load }
}

function startNullGateway(folder: string, port: number, yaml: string): Promise<ChildProcess> {
  const file = join(folder, 'postern.yaml')
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

/** CPU microseconds a request: each side, and the gateway without it a second time for the A/A pair. */
interface Round {
  readonly costs: Readonly<Record<string, Cpu>>
  readonly again: Cpu
}

const base = 'without'
const full = 'with all of it'

async function measure(
  sides: readonly Side[],
  rounds: number,
  requests: number,
  progress: (text: string) => void,
): Promise<readonly Round[]> {
  const twice = sides.find(({ name }) => name === base)
  if (twice === undefined) throw new Error('there is always the gateway without it')
  for (const side of sides) await costOf(side, requests)
  const measured: Round[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 5 === 0) progress(`round ${round + 1} of ${rounds}`)
    // Every other round backwards, so that nobody is always first.
    const order = round % 2 === 0 ? sides : sides.toReversed()
    const costs: Record<string, Cpu> = {}
    for (const side of order) costs[side.name] = await costOf(side, requests)
    measured.push({ costs, again: await costOf(twice, requests) })
  }
  return measured
}

async function costOf({ name, pid, load }: Side, requests: number): Promise<Cpu> {
  const before = cpuOf(pid)
  load.send(requests)
  const [good] = await once(load, 'message')
  // The log and the counts of these requests are written within the next second: they belong to their cost.
  if (name === full) await pause(1_200)
  const after = cpuOf(pid)
  if (good !== requests)
    throw new Error(`${name}: ${requests - Number(good)} of ${requests} were not answered with 200`)
  return { all: (after.all - before.all) / requests, main: (after.main - before.main) / requests }
}

function report(rounds: readonly Round[], requests: number, pinned: boolean): Report {
  const names = Object.keys(rounds[0]?.costs ?? {})
  const cost = (round: Round, name: string) => round.costs[name]?.all ?? Number.NaN
  const served = (round: Round, name: string) => round.costs[name]?.main ?? Number.NaN
  const ratios = (name: string) => rounds.map((round) => cost(round, name) / cost(round, base))
  const spread = median(rounds.map((round) => Math.abs(round.again.all / cost(round, base) - 1)))
  const ratio = median(ratios(full))
  return {
    tables: [
      {
        title: `CPU a forwarded request, ${connections} connections, ${rounds.length} rounds of ${requests} requests${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'median', 'to the gateway without', 'of it the serving thread'],
          ...names.map((name) => [
            name,
            `${median(rounds.map((round) => cost(round, name))).toFixed(1)} µs`,
            `${median(ratios(name)).toFixed(3)} ×`,
            `${median(rounds.map((round) => served(round, name))).toFixed(1)} µs`,
          ]),
          [
            'without, a second time (A/A)',
            `${median(rounds.map(({ again }) => again.all)).toFixed(1)} µs`,
            `${median(rounds.map((round) => round.again.all / cost(round, base))).toFixed(3)} ×`,
            `${median(rounds.map(({ again }) => again.main)).toFixed(1)} µs`,
          ],
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
      'CPU of the whole server process with its database threads; writing the log and the counts is waited for and counted.',
      'Without: the same gateway over a data plane that allows everything, sets no headers and counts nothing.',
      ...(names.length === 2 ? ['nginx is not installed: there is no reference row.'] : []),
    ],
  }
}
