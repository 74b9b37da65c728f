import { keepAliveClients, type Clients } from '../tests/support/clients.ts'
import { issue, makeAccount, type Account, type Holder } from '../tests/support/issue.ts'
import { startServerProcess, type ServerProcess } from '../tests/support/process.ts'
import type { ApiAnswer, ApiCall } from '../tests/support/server.ts'
import { pause } from '../tests/support/until.ts'
import { type EchoUpstream, startEchoUpstream } from '../tests/support/upstream.ts'
import { bar, type Bar, type Bench, type Report } from './lib/bench.ts'
import { withPostgres } from './lib/postgres.ts'
import { propagate, type Propagation } from './lib/propagation.ts'
import { shopYaml } from './lib/shop.ts'
import { median, quantile } from './lib/stats.ts'

const clientCount = 64
const requestsAfterRound = 220
const hintMsMax = 1_000
const pollMsMax = 2_000

export const revoke: Bench = {
  name: 'revoke',
  about: '64 clients on a key while it is revoked, blocked, expired, …; other nodes on PostgreSQL',
  run: async ({ quick, progress }) => {
    const rounds = quick ? 10 : 500
    const outcomes = await withServer(async (server, upstream) => {
      const clients = keepAliveClients(server.gatewayPort, clientCount)
      try {
        const account = await makeAccount(server.api, 'pro')
        const results: Outcome[] = []
        for (const end of ends) {
          progress(`${end.name}: ${rounds} rounds`)
          results.push(await runRounds(end, rounds, { api: server.api, clients, account, upstream }))
        }
        return results
      } finally {
        clients.close()
      }
    })
    progress('other nodes on PostgreSQL')
    return report(outcomes, await withPostgres((url) => propagate(url, quick ? 10 : 200)), quick)
  },
}

/** How access ends. `apply` answers the instant (monotonic ms) from which on nothing may be accepted. */
interface End {
  readonly name: string
  apply(api: ApiCall, holder: Holder): Promise<number>
  /** Makes the account usable again for the next round. */
  undo?(api: ApiCall, account: string): Promise<void>
}

const ends: readonly End[] = [
  { name: 'revoke', apply: (api, { id }) => answered(api('POST', `/credentials/${id}/revoke`, {})) },
  { name: 'block', apply: (api, { id }) => answered(api('POST', `/credentials/${id}/block`, { reason: 'bench' })) },
  { name: 'expiry', apply: expire },
  {
    name: 'suspension',
    apply: (api, { account }) => answered(api('POST', `/accounts/${account}/suspend`, { reason: 'bench' })),
    undo: async (api, account) => void (await answered(api('POST', `/accounts/${account}/resume`, {}))),
  },
  {
    name: 'plan downgrade',
    apply: (api, { account }) => changePlan(api, account, 'none'),
    undo: async (api, account) => void (await changePlan(api, account, 'pro')),
  },
  {
    name: 'rotation end',
    apply: async (api, { id, secretId }) => {
      await answered(api('POST', `/credentials/${id}/rotate`, { overlap: '1h' }))
      return answered(api('POST', `/credentials/${id}/secrets/${secretId}/end`, {}))
    },
  },
]

async function answered(call: Promise<ApiAnswer>): Promise<number> {
  const answer = await call
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return performance.now()
}

/** Set to end a little later: from that instant on, not from the answer. */
async function expire(api: ApiCall, { id }: Holder): Promise<number> {
  const { body } = await api('GET', `/credentials/${id}`)
  const expiresAt = Date.now() + 1_000
  const patch = { expires_at: new Date(expiresAt).toISOString() }
  await answered(api('PATCH', `/credentials/${id}`, patch, { headers: { 'if-match': `"${body.version}"` } }))
  while (Date.now() < expiresAt) await pause(1)
  return performance.now()
}

async function changePlan(api: ApiCall, account: string, plan: string): Promise<number> {
  const { body } = await api('GET', `/accounts/${account}`)
  return answered(api('PATCH', `/accounts/${account}`, { plan }, { headers: { 'if-match': `"${body.version}"` } }))
}

interface Outcome {
  readonly name: string
  readonly rounds: number
  readonly before: number
  /** Requests begun after the end was answered, and those of them that were accepted. */
  readonly after: number
  readonly acceptedAfter: number
  readonly broken: number
}

interface World {
  readonly api: ApiCall
  readonly clients: Clients
  readonly account: Account
  readonly upstream: EchoUpstream
}

async function runRounds(end: End, rounds: number, { api, clients, account, upstream }: World): Promise<Outcome> {
  const sum = { before: 0, after: 0, acceptedAfter: 0, broken: 0 }
  for (let round = 0; round < rounds; round++) {
    const holder = await issue(api, account.project)
    const watch = { endedAt: Infinity, ...sum }
    const looping = Array.from({ length: clientCount }, () => loop(clients, holder.value, watch))
    await pause(round % 20)
    watch.endedAt = await end.apply(api, holder)
    await Promise.all(looping)
    sum.before = watch.before
    sum.after = watch.after
    sum.acceptedAfter = watch.acceptedAfter
    sum.broken = watch.broken
    await end.undo?.(api, account.id)
    // It remembers what it was asked, and is asked millions of times.
    upstream.clear()
  }
  return { name: end.name, rounds, ...sum }
}

/** Requests one after the other until enough were begun after the end. */
async function loop(
  clients: Clients,
  key: string,
  watch: { endedAt: number; before: number; after: number; acceptedAfter: number; broken: number },
): Promise<void> {
  const headers = { host: 'shop.test', authorization: `Bearer ${key}` }
  for (let afterEnd = 0; afterEnd < requestsAfterRound / clientCount;) {
    const begunAt = performance.now()
    const status = await clients.get('/v1/orders/1', headers)
    if (status === 0) watch.broken++
    else if (begunAt < watch.endedAt) watch.before++
    else {
      afterEnd++
      watch.after++
      if (status === 200) watch.acceptedAfter++
    }
  }
}

async function withServer<Value>(
  work: (server: ServerProcess, upstream: EchoUpstream) => Promise<Value>,
): Promise<Value> {
  const upstream = await startEchoUpstream()
  const server = await startServerProcess({ yaml: shopYaml(upstream.url) })
  try {
    return await work(server, upstream)
  } finally {
    await server.kill()
    server.remove()
    await upstream.close()
  }
}

function report(outcomes: readonly Outcome[], { withHint, byPolling }: Propagation, quick: boolean): Report {
  const needed = quick ? 0 : 100_000
  const endBar = ({ name, after, acceptedAfter, broken }: Outcome): Bar =>
    bar(
      `${name}: none of ${quick ? 'the' : 'at least 100000'} requests begun after the answer is accepted`,
      `${acceptedAfter} of ${after}${broken > 0 ? `, ${broken} broken connections` : ''}`,
      acceptedAfter === 0 && after >= needed && after > 0,
    )
  const ms = (value: number) => `${value.toFixed(0)} ms`
  const nodeRow = (name: string, values: readonly number[]): readonly string[] => [
    name,
    String(values.length),
    ms(median(values)),
    ms(quantile(values, 0.99)),
    ms(Math.max(...values)),
  ]
  return {
    tables: [
      {
        title: `${clientCount} clients that loop on a key, SQLite`,
        rows: [
          ['', 'rounds', 'before', 'begun after', 'accepted', 'broken'],
          ...outcomes.map(({ name, rounds, before, after, acceptedAfter, broken }) => [
            name,
            ...[rounds, before, after, acceptedAfter, broken].map(String),
          ]),
        ],
      },
      {
        title: 'a revoke as another node on the same PostgreSQL learns of it',
        rows: [
          ['', 'rounds', 'median', 'p99', 'longest'],
          nodeRow('with the hint', withHint),
          nodeRow('by polling alone', byPolling),
        ],
      },
    ],
    bars: [
      ...outcomes.map(endBar),
      bar(
        `another node with the hint: ${hintMsMax / 1000} s (p99)`,
        ms(quantile(withHint, 0.99)),
        quantile(withHint, 0.99) <= hintMsMax,
      ),
      bar(
        `another node by polling alone: ${pollMsMax / 1000} s`,
        ms(Math.max(...byPolling)),
        Math.max(...byPolling) <= pollMsMax,
      ),
    ],
    notes: [
      'Accepted: decided, which for these requests is 200 of the upstream.',
      'The other nodes are the feed and the records of a node; a request is decided by these records alone.',
      ...(quick ? ['--quick runs 10 rounds of each end instead of 500.'] : []),
    ],
  }
}
