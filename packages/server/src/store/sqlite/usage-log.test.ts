import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock } from '../../base/clock.ts'
import { createIds } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import type { Store } from '../../core/store.ts'
import { packRequests } from '../../core/usage/request-blocks.ts'
import type { RequestFilter, RequestRow, UsageFlush } from '../../core/usage/usage.ts'
import { openStore } from '../index.ts'

const noFilter: RequestFilter = {
  account: null,
  project: null,
  credential: null,
  api: null,
  code: null,
  status: null,
  from: null,
  to: null,
}
const everything = { account: null, project: null, credential: null, api: null }
const start = 1_700_000_000_000
const hour = 3_600_000

describe('the usage worker', () => {
  let root: string
  const opened: Store[] = []
  const open = async (name: string): Promise<Store> => {
    const dataFolder = join(root, name)
    const checkpointsFolder = join(dataFolder, 'checkpoints')
    const store = await openStore({ url: 'sqlite', dataFolder, checkpointsFolder, clock: fixedClock() })
    opened.push(store)
    return store
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-usage-'))
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()))
    rmSync(root, { recursive: true, force: true })
  })

  it('answers after a crash as before it, though neither counts nor lists had been written', async () => {
    const store = await open('one')
    const requests = [aRequest(start), aRequest(start + 1, { code: 'rate_limited', credential: 'cred_2' })]
    await store.usage.flush(
      aFlush({ requests: packRequests(requests), counts: [aCount()], lastUses: [aUse(1), aUse(2)], dropped: 3 }),
    )
    await store.usage.flush(aFlush({ counts: [aCount()], lastUses: [aUse(1)], dropped: 1 }))
    // The files as a killed process leaves them: everything is in the write-ahead log.
    cpSync(join(root, 'one'), join(root, 'two'), { recursive: true })
    const revived = await open('two')
    for (const each of [revived, store]) {
      const { items } = await each.usage.requests({ ...noFilter, credential: 'cred_2', limit: 9, after: null })
      expect(items).toEqual([requests[1]])
      const query = { from: start - hour, to: start + hour, step: 'hour', ...everything, groupBy: [] } as const
      expect((await each.usage.query(query)).map(({ count }) => count)).toEqual([2])
      expect(await each.usage.dropped({ from: start - hour, to: start + hour })).toBe(4)
    }
  })

  it('lists what a plain search of the same requests finds, page by page', { timeout: 120_000 }, async () => {
    let number = 0
    const request = fc.record({
      seconds: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9_000 })),
      credential: fc.constantFrom('cred_1', 'cred_2', 'cred_3', null),
      api: fc.constantFrom('shop', 'pay'),
      code: fc.constantFrom(null, null, 'rate_limited', 'scope_missing'),
      status: fc.constantFrom(200, 429, 503),
    })
    const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
    const time = orNull(fc.integer({ min: 0, max: 9_000_000 }).map((ms) => start + ms))
    const filter = fc.record({
      account: orNull(fc.constantFrom('acc_1', 'acc_2')),
      project: orNull(fc.constantFrom('prj_1', 'prj_2')),
      credential: orNull(fc.constantFrom('cred_1', 'cred_2')),
      api: orNull(fc.constantFrom('shop', 'pay')),
      code: orNull(fc.constantFrom('rate_limited', 'scope_missing')),
      status: orNull(fc.constantFrom(200, 503)),
      from: time,
      to: time,
    })
    const flushes = fc.array(fc.array(request, { maxLength: 60 }), { minLength: 1, maxLength: 5 })
    const claim = fc.asyncProperty(
      flushes,
      fc.array(filter, { maxLength: 8 }),
      fc.integer({ min: 1, max: 20 }),
      async (given, filters, limit) => {
        const store = await open(String(number++))
        const all: RequestRow[] = []
        for (const some of given) {
          const requests = some.map(({ seconds, credential, ...rest }) => {
            const account = credential === null ? null : credential === 'cred_3' ? 'acc_2' : 'acc_1'
            const project = account === null ? null : account.replace('acc', 'prj')
            return aRequest(start + seconds * 1000, { ...rest, credential, account, project })
          })
          all.push(...requests)
          await store.usage.flush(aFlush({ requests: packRequests(requests) }))
          // Between writings of the lists, or in one.
          if (requests.length % 2 === 0) await store.usage.requests({ ...noFilter, limit: 1, after: null })
        }
        for (const asked of [noFilter, ...filters]) {
          expect(await everyPage(store, asked, limit)).toEqual(searched(all, asked))
        }
        const [some] = all
        if (some !== undefined) expect(await store.usage.request({ id: some.id })).toEqual(some)
        await opened.pop()?.close()
      },
    )
    await fc.assert(claim, { numRuns: 8 })
  })
})

async function everyPage(store: Store, filter: RequestFilter, limit: number): Promise<readonly RequestRow[]> {
  const all: RequestRow[] = []
  let after: string | null = null
  do {
    const { items, next } = await store.usage.requests({ ...filter, limit, after })
    all.push(...items)
    after = next
  } while (after !== null)
  return all
}

function searched(all: readonly RequestRow[], filter: RequestFilter): readonly RequestRow[] {
  const { from, to, ...fields } = filter
  return all
    .filter((request) => (from === null || request.at >= from) && (to === null || request.at < to))
    .filter(
      ({ account, project, credential, api, code, status }) =>
        (fields.account ?? account) === account &&
        (fields.project ?? project) === project &&
        (fields.credential ?? credential) === credential &&
        (fields.api ?? api) === api &&
        (fields.code ?? code) === code &&
        (fields.status ?? status) === status,
    )
    .toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

function aRequest(at: number, over: Partial<RequestRow> = {}): RequestRow {
  return {
    id: createIds(fixedClock(at), systemRandom).next('req'),
    at,
    api: 'shop',
    route: 'getOrder',
    method: 'GET',
    path: `/v1/orders/${randomBytes(4).toString('hex')}`,
    status: 200,
    code: null,
    outcome: '2xx',
    account: 'acc_1',
    project: 'prj_1',
    credential: 'cred_1',
    secret: 'sec_1',
    ip: '192.0.2.1',
    country: 'ZZ',
    userAgent: null,
    latencyMs: 1.5,
    trace: null,
    ...over,
  }
}

function aFlush(over: Partial<UsageFlush>): UsageFlush {
  return { node: 'one', at: start, counts: [], latencies: [], lastUses: [], requests: [], dropped: 0, ...over }
}

function aCount(): UsageFlush['counts'][number] {
  return {
    minute: Math.floor(start / 60_000) * 60_000,
    api: 'shop',
    account: 'acc_1',
    project: 'prj_1',
    credential: 'cred_1',
    route: 'getOrder',
    outcome: '2xx',
    country: 'ZZ',
    count: 1,
  }
}

function aUse(at: number): UsageFlush['lastUses'][number] {
  return { secret: 'sec_1', accepted: { at, ip: '192.0.2.1', userAgent: null }, refused: null }
}
