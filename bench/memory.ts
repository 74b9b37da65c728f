import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { freePorts } from '../tests/support/ports.ts'
import { bar, type Bar, type Bench, type Report, unmeasured } from './lib/bench.ts'
import { seedCredentials } from './lib/seed-credentials.ts'
import { median } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const accounts = 1_000
const megabyte = 1e6
const readyWithinMs = 5_000
const growthMax = [
  { credentials: 100_000, bytes: 60 * megabyte },
  { credentials: 1_000_000, bytes: 400 * megabyte },
]

export const memory: Bench = {
  name: 'memory',
  about: 'memory of 100,000 and 1,000,000 credentials, and the time until the server is ready',
  run: async ({ quick, progress }) => {
    const sizes = quick ? [0, 100_000] : [0, 100_000, 1_000_000]
    const starts = quick ? 2 : 3
    const measured: Measured[] = []
    for (const credentials of sizes) {
      progress(`${credentials} credentials: writing`)
      measured.push(
        await inTemporaryFolder(async (folder) => {
          mkdirSync(join(folder, 'data'), { mode: 0o700 })
          await seedCredentials(join(folder, 'data'), credentials, accounts)
          const runs: Start[] = []
          for (let i = 0; i < starts; i++) {
            progress(`${credentials} credentials: start ${i + 1} of ${starts}`)
            runs.push(await startAndMeasure(folder))
          }
          return { credentials, runs }
        }),
      )
    }
    return report(measured, quick)
  },
}

interface Start {
  readonly readyMs: number
  readonly rssBytes: number
}

interface Measured {
  readonly credentials: number
  readonly runs: readonly Start[]
}

async function startAndMeasure(folder: string): Promise<Start> {
  const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
  const file = join(folder, 'postern.yaml')
  writeFileSync(file, configuration(gateway, console, ops))
  const started = performance.now()
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'lib/measured-server.ts'), file], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, POSTERN_MANAGEMENT_KEY: 'a-management-key-of-a-bench-with-forty-characters' },
  })
  try {
    await untilReady(child, `http://127.0.0.1:${ops}/readyz`)
    const readyMs = performance.now() - started
    child.send('memory')
    const [rssBytes] = await once(child, 'message')
    return { readyMs, rssBytes: Number(rssBytes) }
  } finally {
    await stop(child)
  }
}

function configuration(gateway: number, console: number, ops: number): string {
  return `
version: 1
brand: acme
listen: {gateway: "127.0.0.1:${gateway}", console: "127.0.0.1:${console}", ops: "127.0.0.1:${ops}"}
public_url: http://127.0.0.1:${console}
apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:9
    scopes: {orders.read: Read orders}
    routes: [{id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}]
plans:
  pro: {apis: [shop], kinds: [secret]}
`
}

/** From the start of the process to the first 200; a process that has ended never answers. */
async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const end = performance.now() + 60_000
  while (performance.now() < end) {
    if (child.exitCode !== null) throw new Error(`the server ended with code ${child.exitCode}`)
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the server was not ready within a minute')
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(timer)
}

function report(measured: readonly Measured[], quick: boolean): Report {
  const rss = ({ runs }: Measured) => median(runs.map(({ rssBytes }) => rssBytes))
  const ready = ({ runs }: Measured) => median(runs.map(({ readyMs }) => readyMs))
  const [empty] = measured
  if (empty === undefined) throw new Error('the empty server is measured first')
  const growth = (credentials: number): number | null => {
    const found = measured.find((one) => one.credentials === credentials)
    return found === undefined ? null : rss(found) - rss(empty)
  }
  const growthBar = ({ credentials, bytes }: (typeof growthMax)[number]): Bar => {
    const promise = `${credentials} credentials take at most ${mb(bytes)} over an empty server`
    const grown = growth(credentials)
    return grown === null ? unmeasured(promise, 'left out by --quick') : bar(promise, mb(grown), grown <= bytes)
  }
  const largest = measured.find(({ credentials }) => credentials === 1_000_000)
  const readyPromise = `ready within ${readyWithinMs / 1000} s at 1000000 credentials`
  return {
    tables: [
      {
        title: `SQLite, ${accounts} accounts, one secret each, ${empty.runs.length} starts each (medians)`,
        rows: [
          ['credentials', 'RSS', 'over empty', 'a credential', 'ready'],
          ...measured.map((one) => {
            const grown = rss(one) - rss(empty)
            return [
              String(one.credentials),
              mb(rss(one)),
              mb(grown),
              one.credentials === 0 ? '' : `${(grown / one.credentials).toFixed(0)} B`,
              `${(ready(one) / 1000).toFixed(2)} s`,
            ]
          }),
        ],
      },
    ],
    bars: [
      ...growthMax.map(growthBar),
      largest === undefined
        ? unmeasured(readyPromise, 'left out by --quick')
        : bar(readyPromise, `${(ready(largest) / 1000).toFixed(2)} s`, ready(largest) <= readyWithinMs),
    ],
    notes: [
      'RSS of the whole process, its database threads included, after a forced collection. Ready: from the start of the process to 200 of /readyz.',
      ...(quick ? ['--quick leaves out 1,000,000 credentials.'] : []),
    ],
  }
}

function mb(bytes: number): string {
  return `${(bytes / megabyte).toFixed(1)} MB`
}
