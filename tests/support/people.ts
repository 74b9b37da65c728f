import type { wire } from '@postern/contract'

import { sha256 } from '../../packages/server/src/base/digest.ts'
import { createIds, type IdPrefix } from '../../packages/server/src/base/ids.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import type { Provenance } from '../../packages/server/src/core/audit/event.ts'
import { makeToken } from '../../packages/server/src/core/credentials/format.ts'
import { linkDigestOf } from '../../packages/server/src/core/people/link.ts'
import type { NewToken } from '../../packages/server/src/core/tokens/token.ts'
import type { Running } from './management.ts'

/** What people do on the console's pages, done to the store: management has no operation for it. */
export interface Joined {
  readonly user: string
  readonly member: string
  readonly email: string
}

function byUser(running: Running, user: string): Provenance {
  const at = running.clock.now()
  return { actor: { kind: 'user', id: user }, at, ip: '203.0.113.50', userAgent: 'a browser', requestId: null }
}

let numbered = 0

/** Invited by the API, and signed up with the link. */
export async function aMember(
  running: Running,
  account: string,
  more: { readonly role?: wire.Member['role']; readonly email?: string; readonly user?: string } = {},
): Promise<Joined> {
  const { role = 'owner', email = `person-${++numbered}@people.example`, user } = more
  const body = { email, role }
  const invited = await running.call<wire.IssuedInvitation>('POST', `/accounts/${account}/invitations`, { body })
  if (invited.status !== 201) throw new Error(invited.text)
  return await accept(running, invited.body, user)
}

/** `user`: somebody who is there already. */
export async function accept(
  running: Running,
  { invitation, link }: wire.IssuedInvitation,
  user?: string,
): Promise<Joined> {
  const digest = linkDigestOf(link.value?.split('/').at(-1) ?? '')
  if (digest === null) throw new Error('the link has no secret at its end')
  const id = user ?? idOf(running, 'usr')
  const newUser = user === undefined ? { name: 'Ada Lovelace', passwordHash: '$argon2id$v=19$not-a-hash' } : null
  const accepting = { digest, member: idOf(running, 'mem'), user: id, newUser, by: byUser(running, id) }
  const joined = await running.store.people.acceptInvitation(accepting)
  if (!joined.ok) throw new Error(JSON.stringify(joined.error))
  return { user: id, member: joined.value.value.id, email: invitation.email }
}

/** Signed in with a browser; answers the id of the session. */
export async function aSession(running: Running, user: string): Promise<string> {
  const known = await running.store.people.findUser({ id: user })
  const now = running.clock.now()
  const session = {
    id: idOf(running, 'ses'),
    user,
    stage: 'signed_in',
    createdAt: now,
    lastSeenAt: now,
    authenticatedAt: now,
    expiresAt: now + 12 * 3_600_000,
    ip: '203.0.113.50',
    userAgent: 'a browser',
  } as const
  const digest = systemRandom.bytes(32)
  const started = await running.store.people.startSession({ session, digest, userVersion: known?.version ?? 0 })
  if (!started) throw new Error('the session did not start')
  return session.id
}

export interface Place {
  readonly account: string
  readonly project: string
}

/** What the token endpoint does: answers the token as its holder has it. */
export async function aToken(
  running: Running,
  { account, project }: Place,
  credential: string,
  over: Partial<NewToken> = {},
): Promise<{ readonly id: string; readonly value: string }> {
  const kind = over.kind ?? 'access'
  const value = makeToken({ brand: 'acme', token: kind, random: systemRandom }).reveal()
  const token = { ...newToken(running, { account, project }, credential), ...over, digest: sha256(value) }
  await running.store.tokens.mint({ tokens: [token] })
  return { id: token.id, value }
}

function newToken(running: Running, place: Place, credential: string): NewToken {
  const now = running.clock.now()
  return {
    ...place,
    id: idOf(running, 'tok'),
    digest: new Uint8Array(32),
    kind: 'access',
    format: 'opaque',
    credential,
    grant: null,
    family: null,
    api: 'shop',
    scopes: ['orders.read'],
    label: null,
    createdAt: now,
    expiresAt: now + 900_000,
    familyEndsAt: null,
    code: null,
  }
}

/** What the consent page does: the grant, and the code that is its family's first. */
export async function aGrant(
  running: Running,
  place: Place,
  client: string,
  user: string,
): Promise<{ readonly id: string; readonly code: string }> {
  const id = `grt_${createIds(running.clock, systemRandom).credential()}`
  const binding = { redirectUri: null, challenge: 'c'.repeat(43) }
  const code: NewToken = {
    ...newToken(running, place, client),
    digest: systemRandom.bytes(32),
    kind: 'code',
    code: binding,
  }
  const grant = { ...place, id, client, user, apis: ['shop'], scopes: ['orders.read'] }
  const made = await running.store.grants.consent({ grant, code, by: byUser(running, user) })
  if (!made.ok) throw new Error(JSON.stringify(made.error))
  return { id: made.value.value.id, code: code.id }
}

function idOf(running: Running, prefix: IdPrefix): string {
  return createIds(running.clock, systemRandom).next(prefix)
}
