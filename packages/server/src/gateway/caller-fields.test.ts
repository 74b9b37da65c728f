import { describe, expect, it } from 'vitest'

import { callerHeaders } from '../core/decision/identity.ts'
import type { Principal } from '../core/records/principal.ts'
import { createCallerFields } from './caller-fields.ts'
import { fakeDataPlane } from './testing/fake-data-plane.ts'

const someone: Principal = {
  row: 1,
  secretRow: 7,
  generation: 1,
  credential: 'cred_1',
  secret: 'sec_1',
  publicId: '1',
  kind: 'secret',
  account: 'acc_1',
  project: 'prj_1',
  environment: 'live',
  region: null,
  scopes: ['orders.read', 'orders.write'],
}

function aMaker() {
  let made = 0
  const plane = fakeDataPlane(1)
  const fields = createCallerFields({
    ...plane,
    callerHeaders: (...who) => {
      made++
      return callerHeaders(...who)
    },
  })
  return { fields, made: () => made }
}

describe('who calls, as fields', () => {
  it('is every identity header but the id of the request, empty ones too', () => {
    expect(aMaker().fields(someone, 'shop')).toBe(
      'X-Postern-Credential: cred_1\r\nX-Postern-Kind: secret\r\nX-Postern-Account: acc_1\r\nX-Postern-Project: prj_1\r\n' +
        'X-Postern-Environment: live\r\nX-Postern-Api: shop\r\nX-Postern-Scopes: orders.read orders.write\r\n' +
        'X-Postern-Subject: \r\nX-Postern-Grant: \r\n',
    )
    expect(aMaker().fields(null, 'shop')).toContain('X-Postern-Credential: \r\n')
  })

  it('is made once for the same principal and API, and anew for any other', () => {
    const { fields, made } = aMaker()
    for (let i = 0; i < 3; i++) fields(someone, 'shop')
    expect(made()).toBe(1)
    expect(fields(someone, 'stock')).toContain('X-Postern-Api: stock\r\n')
    expect(made()).toBe(2)
  })

  it('is never that of another who has the same place, nor what a principal was before it changed', () => {
    const { fields } = aMaker()
    fields(someone, 'shop')
    expect(fields({ ...someone, secretRow: 7 + 4096, credential: 'cred_2' }, 'shop')).toContain('cred_2')
    expect(fields(someone, 'shop')).toContain('cred_1')
    expect(fields({ ...someone, scopes: [] }, 'shop')).toContain('X-Postern-Scopes: \r\n')
  })

  it('says nothing that cannot stand in a header line', () => {
    expect(() => aMaker().fields({ ...someone, account: 'acc\r\nX-Postern-Kind: management' }, 'shop')).toThrow(
      'the value of X-Postern-Account cannot stand in a header line',
    )
  })
})
