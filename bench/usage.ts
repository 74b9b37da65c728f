import { join } from 'node:path'

import { systemClock } from '../packages/server/src/base/clock.ts'
import type { Store } from '../packages/server/src/core/store.ts'
import type { RequestFilter, UsageQuery } from '../packages/server/src/core/usage/usage.ts'
import { openStore } from '../packages/server/src/store/index.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { median, quantile } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'
import { accountId, credentialId, dayMs, fillMonth, hourMs, monthDays } from './lib/usage-month.ts'

const requestsLogged = 10_000_000
const requestsLoggedQuick = 200_000
const withinMs = 100
const repetitions = 20

export const usage: Bench = {
  name: 'usage',
  about: 'answers about a month of 10 million logged requests',
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      const open = () =>
        openStore({
          url: 'sqlite',
          dataFolder: folder,
          checkpointsFolder: join(folder, 'checkpoints'),
          clock: systemClock,
        })
      await (await open()).close()
      const requests = quick ? requestsLoggedQuick : requestsLogged
      const end = Math.floor(Date.now() / hourMs) * hourMs
      const started = performance.now()
      fillMonth(join(folder, 'usage.db'), requests, end, (what) => progress(`writing ${requests} requests: ${what}`))
      const fillSeconds = (performance.now() - started) / 1000
      const store = await open()
      try {
        const { databaseBytes } = await store.system.space()
        progress('asking')
        return report(await askAll(store, end), requests, fillSeconds, databaseBytes)
      } finally {
        await store.close()
      }
    }),
}

interface Answered {
  readonly question: string
  readonly promised: boolean
  readonly rows: number
  readonly ms: readonly number[]
}

async function askAll(store: Store, end: number): Promise<readonly Answered[]> {
  const month = { from: end - monthDays * dayMs, to: end, step: 'day' } as const
  const day = { from: end - dayMs, to: end, step: 'hour' } as const
  const all = { account: null, project: null, credential: null, api: null }
  const credential = credentialId(1)
  const account = accountId(1)
  const query = (question: string, asked: UsageQuery) =>
    ask(question, true, async () => (await store.usage.query(asked)).length)
  const list = (question: string, asked: Partial<RequestFilter>) =>
    ask(question, false, async () => (await store.usage.requests({ ...noFilter, ...asked })).items.length)
  return [
    await query('a day by hour and outcome', { ...all, ...day, groupBy: ['outcome'] }),
    await query('a month by day and outcome', { ...all, ...month, groupBy: ['outcome'] }),
    await query('one credential: a month by day, route and outcome', {
      ...all,
      ...month,
      credential,
      groupBy: ['route', 'outcome'],
    }),
    await query('one credential: a day by hour and country', { ...all, ...day, credential, groupBy: ['country'] }),
    await query('one account: a month by day and outcome', { ...all, ...month, account, groupBy: ['outcome'] }),
    await query('one account: a month by day and credential', { ...all, ...month, account, groupBy: ['credential'] }),
    await ask('everybody: a month by day and account', false, async () => {
      return (await store.usage.query({ ...all, ...month, groupBy: ['account'] })).length
    }),
    await ask('everybody: a month by day and credential', false, async () => {
      return (await store.usage.query({ ...all, ...month, groupBy: ['credential'] })).length
    }),
    await list('the log: the last 50 of one credential', { credential }),
    await list('the log: the last 50 of one account, a week ago', { account, to: end - 7 * dayMs }),
    await list('the log: the last 50 of one code', { code: 'rate_limited' }),
  ]
}

const noFilter = {
  account: null,
  project: null,
  credential: null,
  token: null,
  grant: null,
  label: null,
  api: null,
  code: null,
  status: null,
  from: null,
  to: null,
  limit: 50,
  after: null,
}

async function ask(question: string, promised: boolean, run: () => Promise<number>): Promise<Answered> {
  const rows = await run()
  const ms: number[] = []
  for (let i = 0; i < repetitions; i++) {
    const started = performance.now()
    await run()
    ms.push(performance.now() - started)
  }
  return { question, promised, rows, ms }
}

function report(answered: readonly Answered[], requests: number, fillSeconds: number, bytes: number): Report {
  const slowest = Math.max(...answered.filter(({ promised }) => promised).map(({ ms }) => quantile(ms, 0.95)))
  return {
    tables: [
      {
        title: `${requests} requests over ${monthDays} days, SQLite, ${(bytes / 1e9).toFixed(2)} GB, each question ${repetitions} times`,
        rows: [
          ['', 'rows', 'median', 'p95'],
          ...answered.map(({ question, rows, ms }) => [
            question,
            String(rows),
            `${median(ms).toFixed(1)} ms`,
            `${quantile(ms, 0.95).toFixed(1)} ms`,
          ]),
        ],
      },
    ],
    bars: [
      bar(
        `a day, a month, one credential and one account are answered within ${withinMs} ms (p95)`,
        `slowest ${slowest.toFixed(1)} ms`,
        slowest <= withinMs,
      ),
    ],
    notes: [
      `The month was written in bulk in ${fillSeconds.toFixed(0)} s: 100 accounts, 1,000 credentials, a few of them with most of the requests. The questions go through the store’s own interface.`,
      'Usage of everybody by credential and the request log are shown without a bar.',
      ...(requests < requestsLogged ? [`--quick logged ${requests} requests instead of ${requestsLogged}.`] : []),
    ],
  }
}
