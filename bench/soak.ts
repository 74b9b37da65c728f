import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import { startServerProcess, type ServerProcess } from '../tests/support/process.ts'
import { pause } from '../tests/support/until.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { shopYaml } from './lib/shop.ts'
import { createSoakLoad, type SoakCounts, type SoakLoad } from './lib/soak-load.ts'
import { median } from './lib/stats.ts'
import { startStreamUpstream } from './lib/stream-upstream.ts'

const mebibyte = 1024 * 1024
const clients = 64
/** Caches and heap are as large as they get by then. */
const warmLooks = 3
const rssGrowthMax = 32 * mebibyte
const heapGrowthMax = 8 * mebibyte
const handleGrowthMax = 16
/** Clients are gone, deadlines were swept, logs and counts are written. */
const settleMs = 2_500
/** A forced collection, and the allocator giving pages back. */
const collectMs = 1_500

export const soak: Bench = {
  name: 'soak',
  about: 'memory, handles and errors over 3 million requests of all sorts (half an hour)',
  run: async ({ quick, progress }) => {
    const total = quick ? 100_000 : 3_000_000
    const [port = 0] = await freePorts(1)
    const upstream = await startStreamUpstream(port, 4 * mebibyte)
    const program = ['--expose-gc', join(import.meta.dirname, 'lib/measured-server.ts')]
    const server = await startServerProcess({ yaml: shopYaml(`http://127.0.0.1:${port}`), program })
    try {
      const { project } = await makeAccount(server.api, 'pro')
      const { value: key } = await issue(server.api, project)
      const load = createSoakLoad({ port: server.gatewayPort, key }, clients, 7)
      const seen = await soakFor(server, load, { total, looks: quick ? 9 : 21 }, progress)
      load.close()
      return report(seen, load.counts, total, quick)
    } finally {
      await server.kill()
      server.remove()
      await upstream.stop()
    }
  },
}

interface Look {
  readonly requests: number
  readonly perSecond: number
  readonly rss: number
  readonly heap: number
  readonly files: number
  readonly resources: number
  /** Requests that ended otherwise than they should, since the start. */
  readonly errors: number
  /** Lines of the log that are warnings or worse, since the start. */
  readonly complaints: number
}

async function soakFor(
  server: ServerProcess,
  load: SoakLoad,
  { total, looks }: { readonly total: number; readonly looks: number },
  progress: (text: string) => void,
): Promise<readonly Look[]> {
  const seen: Look[] = []
  const each = Math.ceil(total / looks)
  for (let i = 1; i <= looks; i++) {
    const start = performance.now()
    await load.send(each)
    const perSecond = each / ((performance.now() - start) / 1_000)
    await pause(settleMs)
    server.signal('SIGUSR2')
    await pause(collectMs)
    const look = await lookAt(server, each * i, perSecond, load.counts)
    seen.push(look)
    progress(rowOf(look).join(', '))
  }
  return seen
}

async function lookAt(server: ServerProcess, requests: number, perSecond: number, counts: SoakCounts): Promise<Look> {
  const metrics = await (await fetch(`${server.ops}/metrics`)).text()
  const metric = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(metrics)?.[1] ?? Number.NaN)
  return {
    requests,
    perSecond,
    rss: metric('process_resident_memory_bytes'),
    heap: metric('nodejs_heap_size_used_bytes'),
    files: metric('process_open_fds'),
    resources: metric('nodejs_active_resources_total'),
    errors: counts.errors.length,
    complaints: server.output().match(/^\{"level":[4-6]0/gm)?.length ?? 0,
  }
}

const headings = ['requests', 'a second', 'RSS', 'heap', 'open files', 'resources', 'errors', 'complaints']

function rowOf({ requests, perSecond, rss, heap, files, resources, errors, complaints }: Look): readonly string[] {
  return [requests, perSecond.toFixed(0), mib(rss), mib(heap), files, resources, errors, complaints].map(String)
}

/** Of the last third over the third after the warm-up, in medians. */
function growth(seen: readonly Look[], part: 'rss' | 'heap' | 'files' | 'resources'): number {
  const warm = seen.slice(warmLooks).map((look) => look[part])
  const third = Math.ceil(warm.length / 3)
  return median(warm.slice(-third)) - median(warm.slice(0, third))
}

function report(seen: readonly Look[], { sent, errors }: SoakCounts, total: number, quick: boolean): Report {
  const last = seen.at(-1)
  const memory = (name: string, part: 'rss' | 'heap', max: number) =>
    bar(`${name} grows by at most ${mib(max)}`, mib(growth(seen, part)), growth(seen, part) <= max)
  const count = (name: string, part: 'files' | 'resources') =>
    bar(
      `${name} grow by at most ${handleGrowthMax}`,
      growth(seen, part).toFixed(0),
      growth(seen, part) <= handleGrowthMax,
    )
  return {
    tables: [
      {
        title: `${total} requests, ${clients} clients at once: ${Object.entries(sent)
          .map(([kind, number]) => `${number} ${kind}`)
          .join(', ')}`,
        rows: [headings, ...seen.map(rowOf)],
      },
    ],
    bars: [
      memory('RSS', 'rss', rssGrowthMax),
      memory('the heap', 'heap', heapGrowthMax),
      count('open files', 'files'),
      count('active resources of Node', 'resources'),
      bar('no request ends otherwise than it should', `${errors.length}`, errors.length === 0),
      bar('nothing to complain about in the log', `${last?.complaints ?? 0} lines`, last?.complaints === 0),
    ],
    notes: [
      `Growth: the median of the last third of the looks over that of the first third after ${warmLooks} looks, each after a forced collection (of the serving thread) ${settleMs} ms after the last answer.`,
      'Given up: in the middle of the head, of the body, before the answer, in the middle of a 4 MiB answer.',
      ...(quick ? ['--quick sends 100,000 requests instead of 3 million.'] : []),
      ...[...new Set(errors)].slice(0, 10),
    ],
  }
}

function mib(bytes: number): string {
  return `${(bytes / mebibyte).toFixed(1)} MiB`
}
