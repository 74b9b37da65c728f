import { randomBytes } from 'node:crypto'

import type { Provenance } from '../core/audit/event.ts'
import type { SealedField } from '../core/connections/connection.ts'
import type { Member, MemberRole } from '../core/people/member.ts'
import type {
  ImportedCredential,
  NewConnection,
  NewCredential,
  NewProject,
  NewSecret,
  Store,
  WriteRefusal,
} from '../core/store.ts'

/** Ids of one process ascend, those of two never meet. */
const ownHex = randomBytes(8).toString('hex')
let numbered = 0
export const nextHex = (): string => ownHex + (++numbered).toString(16).padStart(16, '0')

export const by: Provenance = {
  actor: { kind: 'bootstrap', id: 'POSTERN_MANAGEMENT_KEY' },
  at: 1_000,
  ip: '192.0.2.1',
  userAgent: 'test',
  requestId: 'req_1',
}
export const at = (time: number): Provenance => ({ ...by, at: time })
export const actedBy = (id: string): Provenance => ({ ...by, actor: { kind: 'credential', id } })

export const actedByUser = (id: string): Provenance => ({ ...by, actor: { kind: 'user', id } })

export function aSecret(over: Partial<NewSecret> = {}): NewSecret {
  return {
    id: `sec_${nextHex()}`,
    digest: new Uint8Array(randomBytes(32)),
    hint: 'abcd',
    origin: 'first',
    sealed: null,
    ...over,
  }
}

export function aCredential(over: Partial<ImportedCredential> = {}): ImportedCredential {
  const id12 = randomBytes(6).toString('hex')
  return {
    id: `cred_${id12}`,
    publicId: id12,
    form: 'key',
    kind: 'secret',
    apis: ['shop'],
    name: 'key',
    scopes: ['orders.read'],
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: null,
    primary: false,
    metadata: {},
    secret: aSecret(),
    ...over,
  }
}

/** What makes a credential a client that people sign in to. */
export const aClient: NonNullable<NewCredential['oauth']> = {
  type: 'public',
  grantTypes: ['authorization_code', 'refresh_token'],
  redirectUris: ['https://app.example/callback'],
}

/** What a credential of its own may ask of language models. */
export const someModels: NonNullable<NewCredential['llm']> = {
  models: ['model-a', 'model-b*'],
  budgets: [
    { name: 'tokens', per: 'credential', unit: { kind: 'tokens' }, amount: 1_000, period: 'month' },
    { name: 'spend', per: 'credential', unit: { kind: 'money', currency: 'USD' }, amount: 2_500_000, period: 'day' },
  ],
}

export interface Home {
  readonly account: string
  readonly project: string
}

/** A store under test, empty when given. */
export interface Opened {
  readonly store: Store
  readonly checkpointsFolder: string
}

export async function anAccount(
  store: Store,
  credentials: readonly NewCredential[] = [],
  more: Partial<NewProject> = {},
  account = `acc_${nextHex()}`,
): Promise<Home> {
  const project = `prj_${nextHex()}`
  must(
    await store.accounts.create({
      account: { id: account, name: 'Acme', plan: 'pro', overrides: null, metadata: {} },
      project: {
        id: project,
        name: 'default',
        environment: 'live',
        region: null,
        ipAllow: [],
        metadata: {},
        credentials,
        ...more,
      },
      by,
    }),
  )
  return { account, project }
}

export function aSealedField(field = 'api_key'): SealedField {
  const bytes = new Uint8Array(randomBytes(40))
  return { field, hint: 'abcd', fingerprint: randomBytes(8).toString('hex'), bytes, key: 'standing/connections' }
}

export function aConnection(home: Home, over: Partial<NewConnection> = {}): NewConnection {
  const settings = { endpoint: 'rest.iad-01.braze.com' }
  const id = `conn_${nextHex()}`
  return {
    id,
    account: home.account,
    project: home.project,
    platform: 'braze',
    name: 'main',
    settings,
    sealed: [aSealedField()],
    ...over,
  }
}

/** The value of an outcome that has to be good. */
export function must<Value>(
  outcome: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: WriteRefusal },
): Value {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.value
}

export const someBytes = (length = 32): Uint8Array => new Uint8Array(randomBytes(length))

export interface Person {
  readonly user: string
  readonly member: string
  readonly email: string
}

/** Somebody new who was invited to an account, and accepted. */
export async function aPerson(store: Store, account: string, role: MemberRole = 'owner'): Promise<Person> {
  const person = { user: `usr_${nextHex()}`, member: `mem_${nextHex()}`, email: `${nextHex()}@people.example` }
  await anInvited(store, account, person, role)
  return person
}

/** `newUser`: whether the person is made by it. */
export async function anInvited(
  store: Store,
  account: string,
  { user, member, email }: Person,
  role: MemberRole = 'owner',
  newUser = true,
): Promise<Member> {
  const digest = someBytes()
  const invitation = { id: `inv_${nextHex()}`, account, email, role, expiresAt: 1_000_000 }
  must(await store.people.invite({ invitation, digest, by }))
  const made = newUser ? { name: 'Ada', passwordHash: '$argon2id$1' } : null
  return must(await store.people.acceptInvitation({ digest, member, user, newUser: made, by: actedByUser(user) })).value
}

export async function create(store: Store, home: Home, credential = aCredential()): Promise<ImportedCredential> {
  must(await store.credentials.create({ ...home, credential, maxKeys: null, by }))
  return credential
}

export async function revoke(store: Store, id: string): ReturnType<Store['credentials']['setState']> {
  return store.credentials.setState({ id, scope: null, change: { to: 'revoked', reason: 'gone', hide: false }, by })
}
