import type { Clock } from '../base/clock.ts'
import { systemRandom, type Random } from '../base/random.ts'
import { newestCheckpoint } from '../core/audit/checkpoint-file.ts'
import type { Provenance } from '../core/audit/event.ts'
import type { StateChange, Store } from '../core/store.ts'
import { markReapplied, readRevocations, type Ending } from './revocations.ts'

/**
 * Puts into force again what the revocation log knows and the database does not: an old backup was restored, or an
 * old copy mounted, and it revives nothing. What such a copy holds that is only lent (tokens, sessions, links) is
 * dropped: the log does not name it one by one. Runs whenever the store is opened; answers how many changes it made.
 * An ending is known to the database when the event of its sequence is that very one, so that neither clocks nor
 * sequences that were given out twice can deceive.
 */
export async function reapplyLostEndings(store: Store, checkpointsFolder: string, clock: Clock): Promise<number> {
  const endings = readRevocations(checkpointsFolder)
  const newest = endings.at(-1)
  const whole = newest === undefined || (await isStored(store, newest))
  const lost: Ending[] = []
  if (!whole) for (const ending of endings) if (!(await isStored(store, ending))) lost.push(ending)
  if (lost.length > 0 || (await isOlderThanCheckpoint(store, checkpointsFolder))) await store.system.dropLent()
  if (whole) return 0
  let applied = 0
  for (const ending of latest(lost)) if (await apply(store, ending, clock.now())) applied++
  markReapplied(checkpointsFolder, clock.now())
  return applied
}

/** Whether the database lacks an event that was there a minute before it was last closed, or earlier. */
async function isOlderThanCheckpoint(store: Store, checkpointsFolder: string): Promise<boolean> {
  const checkpoint = newestCheckpoint(checkpointsFolder)
  if (checkpoint === null) return false
  const [event] = await store.events.range({ after: checkpoint.sequence - 1, limit: 1 })
  return event?.sequence !== checkpoint.sequence || event.hash !== checkpoint.hash
}

async function isStored(store: Store, ending: Ending): Promise<boolean> {
  const { sequence, at } = ending
  const [event] = await store.events.range({ after: sequence - 1, limit: 1 })
  return event?.sequence === sequence && event.at === at && event.targetId === targetOf(ending)
}

function targetOf({ credential, account, connection, grant, member, user }: Ending): string {
  return credential ?? account ?? connection ?? grant ?? member ?? user ?? ''
}

/**
 * What stands in the end for each: what is final stays, of the others the last one counts. Proofs of a person come
 * first, before that person is disabled.
 */
function latest(endings: readonly Ending[]): readonly Ending[] {
  const last = new Map<string, Ending>()
  for (const ending of endings) {
    const target = isOfProof(ending) ? `proof of ${targetOf(ending)}` : targetOf(ending)
    const before = last.get(target)?.state
    if (before === undefined || !final.includes(before) || ending.state === 'deleted') last.set(target, ending)
  }
  const standing = [...last.values()].filter(({ state }) => state !== 'active')
  return [...standing.filter(isOfProof), ...standing.filter((ending) => !isOfProof(ending))]
}

const isOfProof = ({ user, state }: Ending): boolean => user !== undefined && state === 'rotated'

const final: readonly Ending['state'][] = ['revoked', 'compromised', 'rotated', 'deleted', 'withdrawn', 'erased']

/** False where the database does not know it, or it is dead already. */
async function apply(store: Store, ending: Ending, now: number): Promise<boolean> {
  const { credential, account, connection, grant, member, user } = ending
  const actor = { kind: 'system', id: 'restore' } as const
  const by: Provenance = { actor, at: now, ip: null, userAgent: null, requestId: null }
  const reason = 'in force when the backup was restored'
  if (account !== undefined) return (await store.accounts.setState({ id: account, state: 'suspended', reason, by })).ok
  if (connection !== undefined) return await endConnection(store, connection, ending.state, reason, by)
  if (grant !== undefined) return (await store.grants.withdraw({ id: grant, user: null, scope: null, by })).ok
  if (user !== undefined) return await endPerson(store, user, ending.state, by)
  if (member !== undefined) {
    return (await store.people.removeMember({ member, scope: null, evenLastOwner: true, by })).ok
  }
  if (credential === undefined) return false
  const change = changeTo(ending, reason)
  return change !== null && (await store.credentials.setState({ id: credential, scope: null, change, by })).ok
}

async function endPerson(store: Store, user: string, state: Ending['state'], by: Provenance): Promise<boolean> {
  if (state === 'erased') return (await store.people.erase({ user, evenLastOwner: true, by })).ok
  if (state !== 'rotated') return (await store.people.setUserState({ user, state: 'disabled', by })).ok
  const passwordHash = hashOfNothing(systemRandom)
  return (await store.people.setPassword({ user, passwordHash, keepSession: null, by })).ok
}

/**
 * Proofs that were replaced since the backup are the old ones again: the person signs in once a new password is set
 * by a link. No password has this hash but by chance.
 */
function hashOfNothing(random: Random): string {
  const part = (bytes: number) => Buffer.from(random.bytes(bytes)).toString('base64').replaceAll('=', '')
  return `$argon2id$v=19$m=19456,t=2,p=1$${part(16)}$${part(32)}`
}

/** A secret that was replaced since the backup is the old one again: it waits, disabled, for the new one. */
async function endConnection(
  store: Store,
  id: string,
  state: Ending['state'],
  reason: string,
  by: Provenance,
): Promise<boolean> {
  if (state === 'deleted') return (await store.connections.delete({ id, scope: null, by })).ok
  const why = state === 'rotated' ? 'its secret was replaced after the backup that was restored' : reason
  return (await store.connections.setState({ id, scope: null, state: 'disabled', reason: why, by })).ok
}

function changeTo({ state, until }: Ending, reason: string): StateChange | null {
  switch (state) {
    case 'revoked':
      return { to: 'revoked', reason, hide: false }
    case 'compromised':
      return { to: 'compromised', reason, since: null }
    case 'blocked':
      return { to: 'blocked', reason, until: until ?? null }
    case 'active':
    case 'suspended':
    case 'disabled':
    case 'rotated':
    case 'deleted':
    case 'withdrawn':
    case 'removed':
    case 'erased':
      return null
  }
}
