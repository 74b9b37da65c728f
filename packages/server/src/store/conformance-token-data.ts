import { randomBytes } from 'node:crypto'

import type { GrantStore } from '../core/grants/grant-store.ts'
import type { Grant } from '../core/grants/grant.ts'
import type { Store } from '../core/store.ts'
import type { TokenStore } from '../core/tokens/token-store.ts'
import type { NewToken } from '../core/tokens/token.ts'
import {
  aClient,
  aCredential,
  actedByUser,
  anAccount,
  aPerson,
  at,
  create,
  must,
  nextHex,
  someBytes,
  type Home,
  type Person,
} from './conformance-data.ts'

type NewGrant = Parameters<GrantStore['consent']>[0]['grant']

export function aToken(home: Home, credential: string, over: Partial<NewToken> = {}): NewToken {
  return {
    ...home,
    id: `tok_${nextHex()}`,
    digest: someBytes(),
    kind: 'access',
    format: 'opaque',
    credential,
    grant: null,
    family: null,
    api: 'shop',
    scopes: ['orders.read'],
    label: null,
    createdAt: 1_000,
    expiresAt: 901_000,
    familyEndsAt: null,
    code: null,
    ...over,
  }
}

/** A credential with a token of its own. */
export async function aMinted(store: Store, over: Partial<NewToken> = {}): Promise<{ home: Home; token: NewToken }> {
  const home = await anAccount(store)
  const { id } = await create(store, home)
  const token = aToken(home, id, over)
  await store.tokens.mint({ tokens: [token] })
  return { home, token }
}

export const graceMs = 10_000

/** Somebody has consented: a client, a member, the grant and its code, which is open until second 61. */
export interface Consented {
  readonly home: Home
  readonly person: Person
  readonly client: string
  readonly grant: Grant
  readonly code: NewToken
}

export async function aConsent(store: Store, over: Partial<NewToken> = {}): Promise<Consented> {
  const home = await anAccount(store)
  const { id: client } = await create(store, await anAccount(store), aCredential({ oauth: aClient }))
  const person = await aPerson(store, home.account)
  return { home, person, client, ...(await consentAgain(store, { home, person, client }, over)) }
}

export async function consentAgain(
  store: Store,
  { home, person, client }: Pick<Consented, 'home' | 'person' | 'client'>,
  over: Partial<NewToken> = {},
): Promise<Pick<Consented, 'grant' | 'code'>> {
  const code = aCode(home, client, over)
  const grant = aGrantOf(home, person, client)
  return { code, grant: must(await store.grants.consent({ grant, code, by: actedByUser(person.user) })).value }
}

export const aGrantOf = (home: Home, person: Person, client: string): NewGrant => ({
  ...home,
  id: `grt_${randomBytes(6).toString('hex')}`,
  client,
  user: person.user,
  apis: ['shop'],
  scopes: ['orders.read'],
})

export function aCode(home: Home, client: string, over: Partial<NewToken> = {}): NewToken {
  const code = { redirectUri: 'https://app.example/callback', challenge: 'c'.repeat(43) }
  return aToken(home, client, { kind: 'code', expiresAt: 61_000, code, ...over })
}

/** What is issued for a code or refresh token; the family ends at second 1000 unless told otherwise. */
export function successorsOf(
  { home, client }: Pick<Consented, 'home' | 'client'>,
  over: Partial<NewToken> = {},
): { readonly access: NewToken; readonly refresh: NewToken; readonly both: readonly NewToken[] } {
  const access = aToken(home, client)
  const refresh = aToken(home, client, { kind: 'refresh', expiresAt: 500_000, familyEndsAt: 1_000_000, ...over })
  return { access, refresh, both: [access, refresh] }
}

export const spend = async (
  store: Store,
  code: NewToken,
  successors: readonly NewToken[],
  time = 2_000,
): Promise<ValueOf<'spendCode'>> =>
  must(await store.tokens.spendCode({ digest: code.digest, successors, by: at(time) }))

export const rotate = async (
  store: Store,
  token: NewToken,
  successors: readonly NewToken[],
  time = 3_000,
): Promise<ValueOf<'rotateRefresh'>> =>
  must(await store.tokens.rotateRefresh({ digest: token.digest, successors, graceMs, by: at(time) }))

type ValueOf<Name extends 'spendCode' | 'rotateRefresh'> = Extract<
  Awaited<ReturnType<TokenStore[Name]>>,
  { readonly ok: true }
>['value']

/** A consent whose code was spent for an access and a refresh token. */
export async function aFamily(
  store: Store,
  over: Partial<NewToken> = {},
): Promise<Consented & { readonly access: NewToken; readonly refresh: NewToken }> {
  const consented = await aConsent(store)
  const { access, refresh, both } = successorsOf(consented, over)
  const { value } = await spend(store, consented.code, both)
  if (value !== 'spent') throw new Error(value)
  return { ...consented, access, refresh }
}

export const isGood = async (store: Store, { digest }: NewToken): Promise<boolean> => {
  const found = await store.tokens.byDigest({ digest })
  return found !== null && !found.token.revoked && found.grant?.active !== false && found.grant?.role !== null
}
