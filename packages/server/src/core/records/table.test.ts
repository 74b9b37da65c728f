import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  aChunk,
  aCredential,
  anAccount,
  aProject,
  aSecret,
  changes,
  credentialIdOf,
  wordsOfText,
} from '../testing/records.ts'
import type { CredentialRecord } from './record.ts'
import { RecordTable } from './table.ts'

const now = 1_700_000_000_000

/** All that the table says of a credential, as the record that was put. */
function read(table: RecordTable, id: string): Partial<CredentialRecord> | null {
  const row = table.findCredential(id)
  if (row === -1) return null
  return {
    id: table.credentialId(row),
    publicId: table.publicId(row),
    kind: table.kind(row),
    state: table.state(row, now),
    apis: [...table.profile(row).apis],
    scopes: table.profile(row).scopes,
    role: table.profile(row).role,
    notBefore: timeOf(table.notBefore(row)),
    expiresAt: timeOf(table.expiresAt(row)),
    createdAt: table.createdAt(row),
    originAllow: table.own(row)?.originAllow ?? null,
    limits: table.own(row)?.limits ?? [],
  }
}

function timeOf(value: number): number | null {
  return Number.isNaN(value) ? null : value
}

function told(record: CredentialRecord): Partial<CredentialRecord> {
  const { id, publicId, kind, state, apis, scopes, role, notBefore, expiresAt, createdAt, originAllow, limits } = record
  return { id, publicId, kind, state, apis, scopes, role, notBefore, expiresAt, createdAt, originAllow, limits }
}

const secretRowOf = (table: RecordTable, text: string) => table.findSecret(wordsOfText(text))

describe('a record', () => {
  const limit = { name: 'own', per: 'credential', requests: 1, windowMs: 1000, burst: 1 } as const
  const whole = aCredential({
    publicId: 'f3b0c44e-98fc-4c14-9afb-f4c8996fb924',
    kind: 'publishable',
    apis: ['shop', 'stock'],
    scopes: ['orders.read'],
    role: 'Merchant',
    ipAllow: ['192.0.2.0/24'],
    originAllow: ['shop.example'],
    limits: [limit],
    notBefore: 1,
    expiresAt: now + 1,
    createdAt: 5,
    state: 'compromised',
    stateAt: 7,
  })

  it.each([
    ['plain', aCredential()],
    ['with everything', whole],
    ['without a public id', aCredential({ publicId: null })],
  ])('is told as it was put, one by one and in a chunk: %s', (_, record) => {
    const single = new RecordTable()
    single.put(record)
    const packed = new RecordTable()
    packed.addChunk(aChunk([aCredential({ id: credentialIdOf(77) }), record]))
    expect(read(single, record.id)).toEqual(told(record))
    expect(read(packed, record.id)).toEqual(told(record))
    expect(packed.own(packed.findCredential(record.id))?.ranges).toEqual(
      single.own(single.findCredential(record.id))?.ranges,
    )
  })

  it('is found by each of its secrets, with what is known of them', () => {
    const table = new RecordTable()
    const first = aSecret('first', { notAfter: 5000 })
    const second = aSecret('second', { imported: true })
    const row = table.put(aCredential({ secrets: [first, second] }))
    const [one, two] = [secretRowOf(table, 'first'), secretRowOf(table, 'second')]
    expect([table.owner(one), table.owner(two)]).toEqual([row, row])
    expect([table.secretId(one), table.secretId(two)]).toEqual([first.id, second.id])
    expect([table.notAfter(one), table.notAfter(two)]).toEqual([5000, Number.NaN])
    expect([table.isImported(one), table.isImported(two)]).toEqual([false, true])
    expect(table.secretCount).toBe(2)
  })

  it('is not found by what only resembles its secret', () => {
    const table = new RecordTable()
    table.put(aCredential({ secrets: [aSecret('AbCdEf')] }))
    for (const other of ['abcdef', 'ABCDEF', 'AbCdE', 'AbCdEf ', ' AbCdEf', 'AbCdEf\0']) {
      expect(secretRowOf(table, other)).toBe(-1)
    }
  })

  it('is not found by a digest that shares seven of its eight words', () => {
    const table = new RecordTable()
    table.put(aCredential({ secrets: [aSecret('x')] }))
    for (let i = 0; i < 8; i++) {
      const words = wordsOfText('x')
      words[i] = (words[i] ?? 0) ^ 1
      expect(table.findSecret(words)).toBe(-1)
    }
  })

  it.each([
    '',
    'cred_',
    'cred_00000000000',
    'cred_0000000000011',
    'CRED_000000000001',
    'xxxx_000000000001',
    '__proto__',
  ])('is not found by the id %j', (id) => {
    const table = new RecordTable()
    table.put(aCredential())
    expect(table.findCredential(id)).toBe(-1)
  })
})

describe('versions', () => {
  it('an older one never replaces a newer one', () => {
    const table = new RecordTable()
    table.put(aCredential({ version: 3, state: 'revoked', stateAt: 1, secrets: [aSecret('new')] }))
    table.put(aCredential({ version: 2, state: 'active', secrets: [aSecret('old')] }))
    expect(table.state(0, now)).toBe('revoked')
    expect([secretRowOf(table, 'old'), secretRowOf(table, 'new')]).toEqual([-1, 0])
  })

  it('a chunk never replaces what a change brought first', () => {
    const table = new RecordTable()
    table.put(aCredential({ version: 2, state: 'revoked', secrets: [aSecret('new')] }))
    table.addChunk(
      aChunk([aCredential({ version: 1, secrets: [aSecret('old')] }), aCredential({ id: credentialIdOf(9) })]),
    )
    expect(table.state(table.findCredential('cred_000000000001'), now)).toBe('revoked')
    expect(secretRowOf(table, 'old')).toBe(-1)
    expect(table.findCredential(credentialIdOf(9))).not.toBe(-1)
    expect(table.size).toBe(2)
  })

  it('of accounts and projects neither', () => {
    const table = new RecordTable()
    const row = table.put(aCredential())
    table.apply(
      changes({
        accounts: [anAccount({ version: 2, suspended: true })],
        projects: [aProject({ version: 2, ipAllow: ['10.0.0.0/8'] })],
      }),
    )
    table.apply(changes({ accounts: [anAccount({ version: 1 })], projects: [aProject({ version: 1 })] }))
    expect(table.account(row).record?.suspended).toBe(true)
    expect(table.project(row).ranges).not.toBeNull()
  })

  it('every change raises the generation, so that whoever waited sees it', () => {
    const table = new RecordTable()
    const row = table.put(aCredential())
    const first = table.generation(row)
    table.put(aCredential({ version: 2 }))
    const second = table.generation(row)
    table.remove(row)
    expect(new Set([first, second, table.generation(row)]).size).toBe(3)
  })
})

describe('secrets', () => {
  it('rotate in and out', () => {
    const table = new RecordTable()
    const first = aSecret('first')
    table.put(aCredential({ secrets: [first] }))
    table.put(aCredential({ version: 2, secrets: [{ ...first, notAfter: 9 }, aSecret('second')] }))
    expect(table.notAfter(secretRowOf(table, 'first'))).toBe(9)
    expect(table.notAfter(secretRowOf(table, 'second'))).toBeNaN()
    table.put(aCredential({ version: 3, secrets: [aSecret('second')] }))
    expect(secretRowOf(table, 'first')).toBe(-1)
    expect(secretRowOf(table, 'second')).not.toBe(-1)
    expect(table.secretCount).toBe(1)
  })

  it('that left belong to nobody, even after their row is used again', () => {
    const table = new RecordTable()
    table.put(aCredential({ secrets: [aSecret('a')] }))
    table.put(aCredential({ version: 2, secrets: [] }))
    const other = table.put(aCredential({ id: credentialIdOf(2), secrets: [aSecret('b')] }))
    expect(secretRowOf(table, 'a')).toBe(-1)
    expect(table.owner(secretRowOf(table, 'b'))).toBe(other)
  })
})

describe('public ids', () => {
  it('are the id of a key, what the pair says, or none', () => {
    const table = new RecordTable()
    const key = table.put(aCredential({ id: credentialIdOf(1) }))
    const pair = table.put(aCredential({ id: credentialIdOf(2), publicId: 'app-7' }))
    const bare = table.put(aCredential({ id: credentialIdOf(3), publicId: null }))
    const owns = (row: number) =>
      ['000000000001', '000000000002', '000000000003', 'app-7', '', 'cred_000000000001'].filter((id) =>
        table.ownsPublicId(row, id),
      )
    expect([owns(key), owns(pair), owns(bare)]).toEqual([['000000000001'], ['app-7'], []])
    expect([key, pair, bare].map((row) => table.publicId(row))).toEqual(['000000000001', 'app-7', null])
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%j is an id like any other', (publicId) => {
    const table = new RecordTable()
    const row = table.put(aCredential({ publicId }))
    expect([table.ownsPublicId(row, publicId), table.ownsPublicId(row, 'valueOf')]).toEqual([true, false])
  })
})

describe('blocks', () => {
  it('end at their end, to the millisecond', () => {
    const table = new RecordTable()
    const row = table.put(aCredential({ state: 'blocked', blockedUntil: 2000 }))
    expect([table.state(row, 1999), table.state(row, 2000)]).toEqual(['blocked', 'active'])
  })

  it('without an end do not end', () => {
    const table = new RecordTable()
    expect(table.state(table.put(aCredential({ state: 'blocked' })), 8.64e15)).toBe('blocked')
  })
})

const listing = (id: number, originAllow: readonly string[] | null, more: Partial<CredentialRecord> = {}) =>
  aCredential({ id: credentialIdOf(id), kind: 'publishable', originAllow, secrets: [], ...more })

function aTable(...records: CredentialRecord[]): RecordTable {
  const table = new RecordTable()
  table.apply(changes({ accounts: [anAccount()], projects: [aProject()], credentials: records }))
  return table
}

describe('the origins that preflights may come from', () => {
  it('are the union over the live publishable credentials of that API', () => {
    const table = aTable(
      listing(1, ['shop.example', 'https://other.example:8443']),
      listing(2, ['*.third.example'], { apis: ['stock'] }),
      listing(3, ['secret.example'], { kind: 'secret' }),
      listing(4, null),
      listing(5, []),
    )
    const listed = (api: string) =>
      [
        'https://shop.example',
        'shop.example',
        'https://other.example:8443',
        'https://a.third.example',
        'https://secret.example',
      ].filter((origin) => table.originListed(api, origin, now))
    expect(listed('shop')).toEqual(['https://shop.example', 'shop.example', 'https://other.example:8443'])
    expect(listed('stock')).toEqual(['https://a.third.example'])
    expect(listed('nothing')).toEqual([])
  })

  it.each([
    'null',
    '',
    'http://shop.example',
    'https://shop.example:444',
    'https://xshop.example',
    'https://shop.example.evil.test',
    'https://a.shop.example',
    'HTTPS://SHOP.EXAMPLE',
  ])('do not include %j', (origin) => {
    expect(aTable(listing(1, ['shop.example'])).originListed('shop', origin, now)).toBe(false)
  })

  it.each([
    ['blocked', { state: 'blocked' }, false],
    ['blocked until now', { state: 'blocked', blockedUntil: now }, true],
    ['revoked', { state: 'revoked' }, false],
    ['compromised', { state: 'compromised' }, false],
    ['expired now', { expiresAt: now }, false],
    ['not yet expired', { expiresAt: now + 1 }, true],
    ['not yet valid', { notBefore: now + 1 }, false],
    ['valid from now', { notBefore: now }, true],
  ] as const)('count a credential that is %s: %j %s', (_, fields, expected) => {
    expect(aTable(listing(1, ['shop.example'], fields)).originListed('shop', 'https://shop.example', now)).toBe(
      expected,
    )
  })

  it('do not include the page without an origin, even where a host of that name is listed', () => {
    const table = aTable(listing(1, ['https://null']))
    expect(['null', 'https://null'].map((origin) => table.originListed('shop', origin, now))).toEqual([false, true])
  })

  it('do not count those of a suspended account', () => {
    const table = aTable(listing(1, ['shop.example']))
    table.apply(changes({ accounts: [anAccount({ version: 2, suspended: true })] }))
    expect(table.originListed('shop', 'https://shop.example', now)).toBe(false)
  })

  it('stay while one credential lists them, and leave with the last', () => {
    const table = aTable(listing(1, ['shop.example']), listing(2, ['https://shop.example']))
    const listed = () => table.originListed('shop', 'https://shop.example', now)
    table.put(listing(1, ['new.example'], { version: 2 }))
    expect(listed()).toBe(true)
    table.remove(table.findCredential(credentialIdOf(2)))
    expect(listed()).toBe(false)
    expect(table.originListed('shop', 'https://new.example', now)).toBe(true)
  })

  it('come with chunks, too', () => {
    const table = new RecordTable()
    table.addChunk(aChunk([listing(1, ['*.shop.example'])]))
    table.apply(changes({ accounts: [anAccount()] }))
    expect(table.originListed('shop', 'https://eu.shop.example', now)).toBe(true)
  })
})

describe('rows', () => {
  it('are not given to another before two flushes have begun since they were freed', () => {
    const table = new RecordTable()
    const freed = table.put(aCredential({ id: credentialIdOf(1) }))
    table.remove(freed)
    expect(table.put(aCredential({ id: credentialIdOf(2) }))).not.toBe(freed)
    table.releaseFreed()
    expect(table.put(aCredential({ id: credentialIdOf(3) }))).not.toBe(freed)
    table.releaseFreed()
    expect(table.put(aCredential({ id: credentialIdOf(4) }))).toBe(freed)
  })

  it('freed twice are freed once', () => {
    const table = new RecordTable()
    const row = table.put(aCredential())
    table.remove(row)
    table.remove(row)
    table.releaseFreed()
    table.releaseFreed()
    const rows = [2, 3].map((id) => table.put(aCredential({ id: credentialIdOf(id) })))
    expect(new Set(rows).size).toBe(2)
    expect(table.size).toBe(2)
  })

  it('tell their watchers that they leave while the credential can still be named', () => {
    const table = new RecordTable()
    const left: string[] = []
    table.onFreed((row) => left.push(table.credentialId(row)))
    table.remove(table.put(aCredential()))
    expect(left).toEqual(['cred_000000000001'])
  })

  it('in great number can be freed at once', () => {
    const table = new RecordTable()
    const records = Array.from({ length: 200_000 }, (_, i) =>
      aCredential({ id: credentialIdOf(i), state: 'revoked', stateAt: 1, secrets: [] }),
    )
    table.addChunk(aChunk(records))
    expect(table.prune(2)).toBe(200_000)
    table.releaseFreed()
    table.releaseFreed()
    expect(table.size).toBe(0)
  })
})

describe('pruning', () => {
  it('forgets what was revoked, compromised or expired before, and nothing else', () => {
    const table = new RecordTable()
    const before = 1000
    const fields: Partial<CredentialRecord>[] = [
      { state: 'revoked', stateAt: 999 },
      { state: 'revoked', stateAt: 1000 },
      { state: 'compromised', stateAt: 999 },
      { expiresAt: 999 },
      { expiresAt: 1000 },
      { state: 'blocked', stateAt: 1 },
      { state: 'active', stateAt: 1 },
      { state: 'revoked', stateAt: null },
    ]
    fields.forEach((more, i) => table.put(aCredential({ id: credentialIdOf(i), secrets: [aSecret(`s${i}`)], ...more })))
    expect(table.prune(before)).toBe(3)
    expect(fields.map((_, i) => table.findCredential(credentialIdOf(i)) !== -1)).toEqual([
      false,
      true,
      false,
      false,
      true,
      true,
      true,
      true,
    ])
    expect(secretRowOf(table, 's0')).toBe(-1)
  })
})

describe('eviction', () => {
  it('spares what was used since the hand last passed', () => {
    const table = new RecordTable()
    table.addChunk(aChunk(Array.from({ length: 10 }, (_, i) => aCredential({ id: credentialIdOf(i), secrets: [] }))))
    const usedIds = [0, 3, 5].map(credentialIdOf)
    for (const id of usedIds) table.touch(table.findCredential(id))
    table.evict(7, 0)
    expect(table.size).toBe(3)
    expect(usedIds.every((id) => table.findCredential(id) !== -1)).toBe(true)
  })

  it('ends where everything is used, and where nothing is left', () => {
    const table = new RecordTable()
    expect(table.evict(3, 0)).toBe(0)
    for (let i = 0; i < 5; i++) table.put(aCredential({ id: credentialIdOf(i), secrets: [] }))
    table.evict(2, 0)
    expect(table.size).toBe(3)
    table.evict(100, 0)
    expect(table.size).toBe(0)
  })
})

/** Ten credentials with up to four secrets each; a secret's text names its owner. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('put' as const),
      id: fc.nat({ max: 9 }),
      version: fc.integer({ min: 1, max: 6 }),
      secrets: fc.subarray([0, 1, 2, 3]),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('chunk' as const),
      ids: fc.uniqueArray(fc.nat({ max: 9 }), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), id: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('evict' as const), count: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('release' as const) }) },
)

describe('the table holds what a plain map would', () => {
  it('after any sequence of puts, chunks, removals and evictions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new RecordTable()
        const model = new Map<string, CredentialRecord>()
        table.onFreed((row) => model.delete(table.credentialId(row)))
        for (const taken of steps) {
          switch (taken.op) {
            case 'put': {
              const id = credentialIdOf(taken.id)
              // The same version is the same image: what it holds follows from it.
              const secrets = taken.secrets.map((number) => aSecret(`${id} ${number} ${taken.version % 2}`))
              const record = aCredential({ id, version: taken.version, secrets, createdAt: taken.version })
              table.put(record)
              if ((model.get(id)?.version ?? 0) <= taken.version) model.set(id, record)
              break
            }
            case 'chunk': {
              const records = taken.ids.map((number) =>
                aCredential({
                  id: credentialIdOf(number),
                  secrets: [aSecret(`${credentialIdOf(number)} 0 1`)],
                  createdAt: 1,
                }),
              )
              table.addChunk(aChunk(records))
              for (const record of records) if (!model.has(record.id)) model.set(record.id, record)
              break
            }
            case 'remove':
              table.remove(table.findCredential(credentialIdOf(taken.id)))
              break
            case 'evict':
              table.evict(taken.count, 0)
              break
            case 'release':
              table.releaseFreed()
              break
          }
          expect(contents(table)).toEqual(contentsOf(model))
        }
      }),
      { numRuns: 300 },
    )
  })
})

const texts = Array.from({ length: 10 }, (_, number) => credentialIdOf(number)).flatMap((id) =>
  ['0 0', '0 1', '1 0', '1 1', '2 0', '2 1', '3 0', '3 1'].map((part) => `${id} ${part}`),
)
const known = new Map(texts.map((text) => [text, { id: aSecret(text).id, words: wordsOfText(text) }]))

/** Everything that can be found: ids with what was put, and secrets with their owner. */
function contents(table: RecordTable) {
  const credentials: unknown[] = []
  const secrets: unknown[] = []
  for (let number = 0; number < 10; number++) {
    const row = table.findCredential(credentialIdOf(number))
    if (row !== -1) credentials.push([table.credentialId(row), table.createdAt(row)])
  }
  for (const [text, { words }] of known) {
    const row = table.findSecret(words)
    if (row !== -1) secrets.push([text, table.secretId(row), table.credentialId(table.owner(row))])
  }
  return { size: table.size, secretCount: table.secretCount, credentials, secrets }
}

function contentsOf(model: ReadonlyMap<string, CredentialRecord>) {
  const records = [...model.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const ids = new Map(records.flatMap((record) => record.secrets.map((secret) => [secret.id, record.id])))
  const secrets = [...known].filter(([, { id }]) => ids.has(id)).map(([text, { id }]) => [text, id, ids.get(id)])
  return {
    size: records.length,
    secretCount: ids.size,
    credentials: records.map((record) => [record.id, record.createdAt]),
    secrets,
  }
}

describe('lists that were stored and cannot be read', () => {
  it('allow nobody, and hold no other credential up', () => {
    const table = new RecordTable()
    const broken = aCredential({
      id: credentialIdOf(1),
      kind: 'publishable',
      ipAllow: ['10.0.0.999'],
      originAllow: ['a b'],
    })
    table.apply(changes({ credentials: [broken, aCredential({ id: credentialIdOf(2) })] }))
    const own = table.own(table.findCredential(broken.id))
    expect({
      ranges: own?.ranges,
      listed: own?.originAllow,
      matches: own?.origins?.matches('https://a.example'),
    }).toEqual({
      ranges: { v4: [], v6: [] },
      listed: [],
      matches: false,
    })
    expect(table.findCredential(credentialIdOf(2))).not.toBe(-1)
  })
})
