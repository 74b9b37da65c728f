import { describe, expect, it } from 'vitest'

import { RecordTable } from '../records/table.ts'
import { aChunk, aCredential, anAccount, aProject, changes } from '../testing/records.ts'
import { aGrant } from '../testing/tokens.ts'
import { GrantTable } from './grant-table.ts'

function tables() {
  const table = new RecordTable()
  table.apply(changes({ accounts: [anAccount()], projects: [aProject()] }))
  return { table, grants: new GrantTable(table) }
}

describe('grants in memory', () => {
  it('stand beside credentials, each found by its own kind of id, even under the same letters', () => {
    const { table, grants } = tables()
    table.put(aCredential())
    grants.put(aGrant())
    const [credential, grant] = [table.findCredential('cred_000000000001'), table.findCredential('grt_000000000001')]
    expect(credential).not.toBe(grant)
    expect([table.credentialId(credential), table.credentialId(grant)]).toEqual([
      'cred_000000000001',
      'grt_000000000001',
    ])
  })

  it('keep no chunk from bringing a credential under the same letters', () => {
    const { table, grants } = tables()
    grants.put(aGrant())
    table.addChunk(aChunk([aCredential()]))
    expect(table.findCredential('cred_000000000001')).not.toBe(-1)
    expect(table.findCredential('grt_000000000001')).not.toBe(-1)
  })

  it('take no older image for a newer one', () => {
    const { table, grants } = tables()
    grants.put(aGrant({ version: 5, active: false, stateAt: 7 }))
    grants.put(aGrant({ version: 4 }))
    grants.apply([aGrant({ version: 3 })])
    expect(grants.find('grt_000000000001')?.active).toBe(false)
    expect(table.state(table.findCredential('grt_000000000001'), 0)).toBe('revoked')
  })

  it('change where they are held, and are not brought by a change', () => {
    const { table, grants } = tables()
    grants.apply([aGrant()])
    expect([grants.size, table.size]).toEqual([0, 0])
    grants.put(aGrant())
    grants.apply([aGrant({ version: 4, role: null })])
    expect(grants.find('grt_000000000001')?.role).toBeNull()
  })

  it('leave as credentials do, with what was counted for them', () => {
    const { table, grants } = tables()
    grants.put(aGrant())
    grants.put(aGrant({ id: 'grt_000000000002', active: false, stateAt: 5 }))
    const freed: string[] = []
    table.onFreed((row) => freed.push(table.credentialId(row)))
    table.prune(6)
    expect([grants.find('grt_000000000002'), grants.size, freed]).toEqual([null, 1, ['grt_000000000002']])
    table.evict(1, -1)
    expect([grants.find('grt_000000000001'), grants.size]).toEqual([null, 0])
    expect(table.findCredential('grt_000000000001')).toBe(-1)
  })
})
