import { systemRandom } from '../../base/random.ts'
import { fail, ok, type Result } from '../../base/result.ts'
import { commitmentOf, eventHash, type HashedFields } from '../../core/audit/chain.ts'
import type { NewEvent, Provenance } from '../../core/audit/event.ts'
import { noChanges } from '../../core/records/record.ts'
import type { Committed, WriteRefusal } from '../../core/store.ts'
import type { Ending } from '../revocations.ts'
import type { Db, EventPersonalRow, EventRow } from '../schema.ts'
import { actorMayBegin, actorStillLives } from './actors.ts'
import { imagesOf, touchedBy } from './records.ts'

/** An event with the credential that it touches, if any: for filters and the change feed. */
export interface DraftEvent extends NewEvent {
  readonly credential: string | null
}

/** What a write did, before its events are appended and its after-images read. */
export interface Draft<Value> {
  readonly value: Value
  readonly events: readonly DraftEvent[]
}

export type Drafted<Value> = Promise<Result<Draft<Value>, WriteRefusal>>

/** A write as an aggregate's file declares it. It runs within the transaction that `commitWrite` completes. */
export type WriteOperation<Input extends { readonly by: Provenance }, Value> = (tx: Db, input: Input) => Drafted<Value>

export const refuse = (what: string): { readonly ok: false; readonly error: WriteRefusal } =>
  fail({ code: 'conflict', what })
export const notFound: { readonly ok: false; readonly error: WriteRefusal } = fail({ code: 'not_found' })

/**
 * The whole of a write: the actor is alive, the operation's own statements, the events as the last statements under
 * the lock of the head (so that sequence order is commit order), the after-images. On a refusal the caller rolls back.
 * Where there is nothing to tell, nothing is locked: refreshing a token waits for nobody.
 */
export async function runWrite<Input extends { readonly by: Provenance }, Value>(
  tx: Db,
  operation: WriteOperation<Input, Value>,
  input: Input,
): Promise<Result<Written<Value>, WriteRefusal>> {
  const { by } = input
  if (!(await actorMayBegin(tx, by))) return fail({ code: 'actor_dead' })
  const drafted = await operation(tx, input)
  if (!drafted.ok) return drafted
  const { value, events } = drafted.value
  if (events.length === 0) {
    const { sequence } = await readHead(tx)
    return ok({ committed: { value, sequence, changes: noChanges }, endings: [] })
  }
  const touched = touchedBy(
    events.map((event) => ({ kind: event.targetKind, id: event.targetId, credential: event.credential })),
  )
  const head = await lockHead(tx, events.length)
  // Whoever ended the actor held the head until its commit, so that this statement sees it.
  if (!(await actorStillLives(tx, by, touched, events))) return fail({ code: 'actor_dead' })
  await append(tx, by, events, head)
  const changes = await imagesOf(tx, touched)
  return ok({ committed: { value, sequence: head.sequence, changes }, endings: endingsOf(events, by, head) })
}

/** A committed write, and what of it belongs into the revocation log. */
export interface Written<Value> {
  readonly committed: Committed<Value>
  readonly endings: readonly Ending[]
}

const stateAfter: Readonly<Record<string, Ending['state']>> = {
  'credential.blocked': 'blocked',
  'credential.unblocked': 'active',
  'credential.revoked': 'revoked',
  'credential.compromised': 'compromised',
  'account.suspended': 'suspended',
  'account.resumed': 'active',
  'connection.disabled': 'disabled',
  'connection.enabled': 'active',
  'connection.rotated': 'rotated',
  'connection.deleted': 'deleted',
  'grant.withdrawn': 'withdrawn',
  'member.removed': 'removed',
  'member.added': 'active',
  'user.disabled': 'disabled',
  'user.enabled': 'active',
  'user.password_changed': 'rotated',
  'user.second_factor_set': 'rotated',
  'user.recovery_code_used': 'rotated',
  'user.erased': 'erased',
}

/** Targets that the log names by their kind; of a secret it names the credential. */
const loggedKinds: ReadonlySet<string> = new Set(['account', 'connection', 'grant', 'member', 'user'])

function endingsOf(events: readonly DraftEvent[], by: Provenance, head: Head): readonly Ending[] {
  const first = head.sequence - events.length + 1
  return events.flatMap((event, index) => {
    const state = stateAfter[event.action]
    if (state === undefined) return []
    const { targetKind, targetId } = event
    const until = event.after?.['until']
    return [
      {
        sequence: first + index,
        at: by.at,
        [loggedKinds.has(targetKind) ? targetKind : 'credential']: targetId,
        state,
        ...(typeof until === 'number' && { until }),
      },
    ]
  })
}

interface Head {
  /** After the events of this write. */
  readonly sequence: number
  /** Before them. */
  readonly hash: string
}

async function readHead(tx: Db): Promise<{ readonly sequence: number }> {
  return tx.selectFrom('event_head').select('sequence').where('id', '=', 1).executeTakeFirstOrThrow()
}

/** Takes the next sequences and keeps every other write from appending until this one has committed. */
async function lockHead(tx: Db, count: number): Promise<Head> {
  return tx
    .updateTable('event_head')
    .set((eb) => ({ sequence: eb('sequence', '+', count) }))
    .where('id', '=', 1)
    .returning(['sequence', 'hash'])
    .executeTakeFirstOrThrow()
}

async function append(tx: Db, by: Provenance, events: readonly DraftEvent[], head: Head): Promise<void> {
  const rows: EventRow[] = []
  const personal: EventPersonalRow[] = []
  let previousHash = head.hash
  let sequence = head.sequence - events.length
  for (const event of events) {
    sequence++
    const salt = systemRandom.bytes(16)
    const commitment = commitmentOf(salt, by)
    const row = eventRow(event, by, { sequence, commitment, previousHash })
    previousHash = row.hash
    rows.push(row)
    personal.push({ sequence, salt, ip: by.ip, user_agent: by.userAgent })
  }
  for (const batch of batches(rows)) await tx.insertInto('events').values(batch).execute()
  for (const batch of batches(personal)) await tx.insertInto('event_personal').values(batch).execute()
  await tx.updateTable('event_head').set({ hash: previousHash }).where('id', '=', 1).execute()
}

function eventRow(
  event: DraftEvent,
  by: Provenance,
  link: { readonly sequence: number; readonly commitment: string; readonly previousHash: string },
): EventRow {
  const { action, targetKind, targetId, account, project, credential, before, after } = event
  const { sequence, commitment, previousHash } = link
  const hashed: HashedFields = {
    sequence,
    at: by.at,
    actor: by.actor,
    action,
    targetKind,
    targetId,
    account,
    project,
    before,
    after,
    requestId: by.requestId,
    commitment,
  }
  return {
    sequence,
    at: by.at,
    actor_kind: by.actor.kind,
    actor_id: by.actor.id,
    action,
    target_kind: targetKind,
    target_id: targetId,
    account,
    project,
    credential,
    before: before === null ? null : JSON.stringify(before),
    after: after === null ? null : JSON.stringify(after),
    request_id: by.requestId,
    commitment,
    previous_hash: previousHash,
    hash: eventHash(previousHash, hashed),
  }
}

/** Rows per statement: below the least number of parameters that either database takes. */
export function* batches<Row>(rows: readonly Row[], size = 500): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size)
}
