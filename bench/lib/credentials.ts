import { randomBase62 } from '../../packages/server/src/base/base62.ts'
import { sha256 } from '../../packages/server/src/base/digest.ts'
import { type Random, seededRandom } from '../../packages/server/src/base/random.ts'
import { makeKey } from '../../packages/server/src/core/credentials/format.ts'
import { type CredentialRecord, noChanges } from '../../packages/server/src/core/records/record.ts'
import { RecordTable } from '../../packages/server/src/core/records/table.ts'
import { brand } from './declaration.ts'

export type RecordFields = Partial<Omit<CredentialRecord, 'id' | 'publicId' | 'secrets'>>

export interface Held {
  readonly table: RecordTable
  /** The secrets in clear, by row. */
  readonly keys: readonly string[]
}

const createdAt = Date.UTC(2026, 0, 1)

/** `count` live credentials in memory, shared among `accounts`; `fields` adds to the credential of that number. */
export function holdCredentials(count: number, accounts: number, fields: (row: number) => RecordFields): Held {
  const random = seededRandom(20_260_101)
  const table = new RecordTable()
  table.reserve(count, count)
  const ids = Array.from({ length: accounts }, (_, i) => ({ account: `acc_${i}`, project: `prj_${i}` }))
  table.apply({
    ...noChanges,
    accounts: ids.map(({ account }) => ({ id: account, plan: 'pro', suspended: false, overrides: null, version: 1 })),
    projects: ids.map(({ account, project }) => ({
      id: project,
      account,
      environment: 'live',
      region: null,
      ipAllow: [],
      version: 1,
    })),
  })
  const keys: string[] = []
  for (let row = 0; row < count; row++) {
    const place = ids[row % accounts]
    if (place === undefined) throw new Error('there has to be an account')
    const publicId = randomBase62(12, random)
    const key = aKey(publicId, random)
    keys.push(key)
    table.put({
      ...plainRecord,
      ...place,
      ...fields(row),
      id: `cred_${publicId}`,
      publicId,
      secrets: [secretOf(key, row)],
    })
  }
  return { table, keys }
}

/** A key of our format with a right checksum; in one piece, as a string is that came from a socket. */
export function aKey(publicId: string, random: Random): string {
  const pieces = makeKey({ brand, kind: 'secret', environment: 'live', publicId, random }).reveal()
  return Buffer.from(pieces, 'latin1').toString('latin1')
}

function secretOf(key: string, number: number): CredentialRecord['secrets'][number] {
  return { id: `sec_${number.toString(16).padStart(32, '0')}`, digest: sha256(key), imported: false, notAfter: null }
}

const plainRecord: Omit<CredentialRecord, 'id' | 'publicId' | 'account' | 'project' | 'secrets'> = {
  kind: 'secret',
  apis: ['shop'],
  scopes: ['orders.read'],
  role: null,
  ipAllow: [],
  originAllow: null,
  limits: [],
  llm: null,
  oauth: null,
  notBefore: null,
  expiresAt: null,
  state: 'active',
  stateAt: null,
  blockedUntil: null,
  createdAt,
  version: 1,
}
