import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { startServerProcess } from '../tests/support/process.ts'
import { pause } from '../tests/support/until.ts'
import { bar, type Bar, type Bench, type Table, unmeasured } from './lib/bench.ts'
import { killRepeatedly, type KillOutcome } from './lib/kill-driver.ts'
import { withPostgres } from './lib/postgres.ts'
import { shopYaml } from './lib/shop.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const writes = 100

export const kill: Bench = {
  name: 'kill',
  about: 'kill -9 while issuing, rotating and revoking, on both stores; fsyncs a commit',
  run: async ({ quick, progress }) => {
    const kills = quick ? 3 : 100
    const seed = 9
    const sqlite = await killRepeatedly({ store: 'sqlite', kills, seed, progress })
    const postgres = await withPostgres((url) => killRepeatedly({ store: url, kills, seed, progress }))
    progress('counting fsyncs')
    const syncs = hasStrace() ? await countSyncs() : null
    return {
      tables: [killTable({ SQLite: sqlite, PostgreSQL: postgres }), ...(syncs === null ? [] : [syncTable(syncs)])],
      bars: [killBar('SQLite', sqlite), killBar('PostgreSQL', postgres), syncBar(syncs)],
      notes: [
        'Killed is the server; PostgreSQL itself goes on, as it would on another machine.',
        'A write whose answer had not come when the server died may have happened or not; all others are asked for.',
        ...(quick ? [`--quick kills ${kills} times on each store instead of 100.`] : []),
        ...[...sqlite.broken, ...postgres.broken].slice(0, 10),
      ],
    }
  },
}

function killTable(outcomes: Readonly<Record<string, KillOutcome>>): Table {
  const rows = Object.entries(outcomes).map(([store, { kills, acknowledged, broken }]) => [
    store,
    String(kills),
    String(acknowledged),
    String(broken.length),
  ])
  return { title: 'kill -9 at random moments', rows: [['', 'kills', 'acknowledged', 'broken promises'], ...rows] }
}

function killBar(store: string, { kills, broken }: KillOutcome): Bar {
  return bar(
    `${store}: nothing acknowledged is lost, nothing revoked comes back, the audit chain verifies`,
    `${broken.length} broken after ${kills} kills`,
    broken.length === 0,
  )
}

// ---- fsyncs ----------------------------------------------------------------------------------------------

interface Syncs {
  /** One after the other: each is a commit group of its own. */
  readonly single: SyncCount
  /** At once: they share groups. */
  readonly together: SyncCount
}

interface SyncCount {
  readonly wal: number
  readonly main: number
  readonly usage: number
  readonly other: number
  readonly seconds: number
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function countSyncs(): Promise<Syncs> {
  const server = await startServerProcess({ yaml: shopYaml('http://127.0.0.1:9') })
  try {
    const { project } = await makeAccount(server.api, 'pro')
    const single = await traced(server.pid, async () => {
      for (let i = 0; i < writes; i++) await issue(server.api, project)
    })
    const together = await traced(server.pid, async () => {
      await Promise.all(Array.from({ length: writes }, () => issue(server.api, project)))
    })
    return { single, together }
  } finally {
    await server.kill()
    server.remove()
  }
}

function traced(pid: number, work: () => Promise<void>): Promise<SyncCount> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, 'strace.txt')
    const args = ['-f', '-y', '-e', 'trace=fsync,fdatasync', '-o', file, '-p', String(pid)]
    const tracer = spawn('strace', args, { stdio: 'ignore' })
    const exited = once(tracer, 'exit')
    await pause(1_000)
    const started = performance.now()
    await work()
    const seconds = (performance.now() - started) / 1000
    tracer.kill('SIGINT')
    await exited
    const lines = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /f(data)?sync\(/.test(line))
    const of = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length
    const [wal, main, usage] = [of(/postern\.db-wal>/), of(/postern\.db>/), of(/usage\.db(-wal)?>/)]
    return { wal, main, usage, other: lines.length - wal - main - usage, seconds }
  })
}

function syncTable({ single, together }: Syncs): Table {
  const row = (name: string, { wal, main, usage, other, seconds }: SyncCount): readonly string[] => [
    name,
    ...[wal, main, usage, other].map(String),
    seconds.toFixed(1),
  ]
  return {
    title: `fsync and fdatasync of ${writes} issued keys, by file (strace)`,
    rows: [
      ['', 'WAL', 'main file (checkpoints)', 'usage', 'other', 'seconds'],
      row('one after the other', single),
      row('at once', together),
    ],
  }
}

/** Each second the server may commit by itself (quotas), and strace may begin in the middle of such a commit. */
function syncBar(syncs: Syncs | null): Bar {
  const promise = 'one sync of the WAL for each commit group'
  if (syncs === null) return unmeasured(promise, 'strace is not installed')
  const { single, together } = syncs
  const most = writes + 2 * Math.ceil(single.seconds) + 2
  return bar(
    promise,
    `${single.wal} for ${writes} groups, ${together.wal} for ${writes} writes at once`,
    single.wal >= writes && single.wal <= most && together.wal < writes,
  )
}
