import { sha256 } from '../../base/digest.ts'
import type { TokenParts } from '../decision/resolve.ts'
import { GrantTable } from '../grants/grant-table.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { RecordTable } from '../records/table.ts'
import { noJwts } from '../tokens/no-jwts.ts'
import { TokenCache } from '../tokens/token-cache.ts'
import type { TokenRecord } from '../tokens/token.ts'

/** Access tokens as they are presented: 43 characters after the prefix, the checksum right. */
export const theToken = 'acme_at_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C'

/** A token of the builders' credential for the API `shop`, with no end in sight; all replaceable. */
export function aToken(text: string = theToken, fields: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: 'tok_1',
    digest: sha256(text),
    credential: 'cred_000000000001',
    grant: null,
    family: null,
    api: 'shop',
    scopes: ['orders.read'],
    label: null,
    expiresAt: 8.64e15,
    revoked: false,
    ...fields,
  }
}

/** What `usr_1`, an owner, lets the builders' credential do with project `prj_1`; all replaceable. */
export function aGrant(fields: Partial<GrantRecord> = {}): GrantRecord {
  return {
    id: 'grt_000000000001',
    client: 'cred_000000000001',
    user: 'usr_1',
    account: 'acc_1',
    project: 'prj_1',
    apis: ['shop'],
    scopes: ['orders.read'],
    active: true,
    stateAt: null,
    role: 'owner',
    version: 3,
    createdAt: 0,
    ...fields,
  }
}

/** Where tokens are found in tests that put them there: no store has any others. */
export function tokenParts(table: RecordTable, parts: Partial<TokenParts> = {}): TokenParts {
  return {
    cache: new TokenCache(),
    grants: new GrantTable(table),
    loads: { token: () => Promise.resolve(true), credential: () => Promise.resolve(true) },
    jwts: noJwts,
    ...parts,
  }
}
