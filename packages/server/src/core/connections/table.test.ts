import { describe, expect, it } from 'vitest'

import { Secret } from '../../base/secret.ts'
import { operatorAccountId } from '../accounts/account.ts'
import { SealBroken } from '../credentials/sealing.ts'
import type { ConnectionRecord, SealedField } from './connection.ts'
import { createConnectionTable } from './table.ts'

/** Seals by writing down; opens what belongs to its place while the key file is there. */
function aTable() {
  const opened: string[] = []
  const faults: string[] = []
  const keys = { there: true }
  const table = createConnectionTable(
    {
      open: ({ bytes }, place) => {
        opened.push(place.connection)
        if (!keys.there) throw new SealBroken('gone')
        return new Secret(Buffer.from(bytes).toString())
      },
    },
    (event) => void faults.push(event),
  )
  return { table, opened, faults, keys }
}

const sealed = (text: string): SealedField => ({
  field: 'api_key',
  hint: null,
  fingerprint: '0'.repeat(16),
  bytes: new Uint8Array(Buffer.from(text)),
  key: 'standing/connections',
})

function aRecord(over: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return {
    id: 'conn_1',
    account: operatorAccountId,
    project: null,
    platform: 'openai',
    name: 'main',
    settings: {},
    secretVersion: 1,
    state: 'active',
    sealed: [sealed('S1')],
    version: 1,
    ...over,
  }
}

const main = { name: 'main' }
const owner = { account: 'acc_1', project: 'prj_1' }
const bearer = (secret: string) => ({ ok: true, value: { lines: ['Authorization', `Bearer ${secret}`] } })
const unusable = (error: string) => ({ ok: false, error })

describe('connections in memory', () => {
  it('are found by the name of the operator’s own, opened once and used many times', () => {
    const { table, opened } = aTable()
    table.apply([aRecord(), aRecord({ id: 'conn_2', account: 'acc_1', sealed: [sealed('theirs')] })])
    const first = table.find(main, null, 1_000)
    expect(first).toMatchObject(bearer('S1'))
    expect(table.find(main, null, 2_000)).toBe(first)
    expect(opened).toEqual(['conn_1'])
    expect(table.find({ name: 'other' }, null, 0)).toEqual(unusable('absent'))
  })

  it('give the new secret from the moment of its after-image, and never an older one again', () => {
    const { table } = aTable()
    const rotated = aRecord({ secretVersion: 2, sealed: [sealed('S2')], version: 2 })
    table.apply([aRecord()])
    expect(table.find(main, null, 0)).toMatchObject(bearer('S1'))
    table.apply([rotated])
    expect(table.find(main, null, 0)).toMatchObject(bearer('S2'))
    table.apply([aRecord()])
    expect(table.find(main, null, 0)).toMatchObject(bearer('S2'))
  })

  it('are refused while disabled, and once deleted even to an image that comes late', () => {
    const { table } = aTable()
    table.apply([aRecord()])
    table.apply([aRecord({ state: 'disabled', version: 2 })])
    expect(table.find(main, null, 0)).toEqual(unusable('disabled'))
    table.apply([aRecord({ version: 3 })])
    expect(table.find(main, null, 0)).toMatchObject(bearer('S1'))
    table.apply([aRecord({ state: 'deleted', sealed: [], version: 4 })])
    expect(table.find(main, null, 0)).toEqual(unusable('absent'))
    table.apply([aRecord({ version: 3 })])
    expect(table.find(main, null, 0)).toEqual(unusable('absent'))
  })

  it('are in force until they are disabled, deleted or rotated, whatever else changes', () => {
    const ends: readonly Partial<ConnectionRecord>[] = [
      { state: 'disabled' },
      { state: 'deleted', sealed: [] },
      { secretVersion: 2, sealed: [sealed('S2')] },
    ]
    for (const end of ends) {
      const { table, opened } = aTable()
      table.apply([aRecord()])
      const found = table.find(main, null, 0)
      if (!found.ok) throw new Error(found.error)
      table.apply([aRecord({ name: 'renamed', version: 2 })])
      expect(table.inForce(found.value)).toBe(true)
      expect(table.find({ name: 'renamed' }, null, 0)).toBe(found)
      expect(opened).toEqual(['conn_1'])
      table.apply([aRecord({ ...end, version: 3 })])
      expect(table.inForce(found.value)).toBe(false)
      table.apply([aRecord({ secretVersion: end.secretVersion ?? 1, version: 4 })])
      expect(table.inForce(found.value)).toBe(false)
    }
  })

  it('are not in force where they were never found here', () => {
    const [{ table }, other] = [aTable(), aTable()]
    for (const one of [table, other.table]) one.apply([aRecord()])
    const found = other.table.find(main, null, 0)
    if (!found.ok) throw new Error(found.error)
    expect(table.inForce(found.value)).toBe(false)
  })

  it('take a name over from one that is gone, and give it up with a new name', () => {
    const { table } = aTable()
    table.apply([aRecord(), aRecord({ id: 'conn_2', name: 'second', sealed: [sealed('S2')] })])
    table.apply([aRecord({ name: 'old', version: 2 }), aRecord({ id: 'conn_2', sealed: [sealed('S2')], version: 2 })])
    expect(table.find(main, null, 0)).toMatchObject(bearer('S2'))
    expect(table.find({ name: 'old' }, null, 0)).toMatchObject(bearer('S1'))
    expect(table.find({ name: 'second' }, null, 0)).toEqual(unusable('absent'))
  })

  it('say that they cannot be read, once, and are tried again when ten seconds have passed', () => {
    const { table, opened, faults, keys } = aTable()
    table.apply([aRecord()])
    keys.there = false
    expect(table.find(main, null, 1_000)).toEqual(unusable('unreadable'))
    keys.there = true
    expect(table.find(main, null, 10_999)).toEqual(unusable('unreadable'))
    expect([opened.length, faults]).toEqual([1, ['connection.seal_broken']])
    expect(table.find(main, null, 11_000)).toMatchObject(bearer('S1'))
  })

  it('are refused where the platform takes its credential in the body', () => {
    const { table } = aTable()
    table.apply([aRecord({ platform: 'mandrill' }), aRecord({ id: 'conn_2', name: 'gone', platform: 'never-was' })])
    expect(table.find(main, null, 0)).toEqual(unusable('body'))
    expect(table.find({ name: 'gone' }, null, 0)).toEqual(unusable('absent'))
  })

  describe('of customers', () => {
    const use = { platform: 'openai' }
    const theirs = (over: Partial<ConnectionRecord> = {}) => aRecord({ ...owner, ...over })

    it('are those of the credential’s project, or else of its account, and of nobody else', () => {
      const { table } = aTable()
      table.apply([
        theirs({ id: 'conn_1', sealed: [sealed('project')] }),
        theirs({ id: 'conn_2', project: null, sealed: [sealed('account')] }),
        aRecord({ id: 'conn_3', sealed: [sealed('operator')] }),
      ])
      expect(table.find(use, owner, 0)).toMatchObject(bearer('project'))
      expect(table.find(use, { ...owner, project: 'prj_2' }, 0)).toMatchObject(bearer('account'))
      expect(table.find(use, { account: 'acc_2', project: 'prj_9' }, 0)).toEqual(unusable('absent'))
      expect(table.find(use, null, 0)).toEqual(unusable('absent'))
      expect(table.find({ platform: 'braze' }, owner, 0)).toEqual(unusable('absent'))
      expect(table.find(main, owner, 0)).toMatchObject(bearer('operator'))
    })

    it('are not guessed between two, unless one of them is disabled', () => {
      const { table } = aTable()
      const second = theirs({ id: 'conn_2', name: 'second', sealed: [sealed('S2')] })
      table.apply([theirs(), second])
      expect(table.find(use, owner, 0)).toEqual(unusable('several'))
      table.apply([theirs({ state: 'disabled', version: 2 })])
      expect(table.find(use, owner, 0)).toMatchObject(bearer('S2'))
      table.apply([{ ...second, state: 'disabled', version: 2 }])
      expect(table.find(use, owner, 0)).toEqual(unusable('disabled'))
    })

    it('of a project that are disabled are not stood in for by those of the account', () => {
      const { table } = aTable()
      table.apply([theirs({ state: 'disabled' }), theirs({ id: 'conn_2', project: null })])
      expect(table.find(use, owner, 0)).toEqual(unusable('disabled'))
    })
  })

  it('remember their last use until it is taken', () => {
    const { table } = aTable()
    table.apply([aRecord(), aRecord({ id: 'conn_2', name: 'idle' })])
    table.find(main, null, 1_000)
    table.find(main, null, 2_000)
    expect(table.takeUses()).toEqual([{ id: 'conn_1', at: 2_000 }])
    expect(table.takeUses()).toEqual([])
  })
})
