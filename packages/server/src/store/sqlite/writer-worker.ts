import { workerData } from 'node:worker_threads'

import { fail } from '../../base/result.ts'
import type { Provenance } from '../../core/audit/event.ts'
import { StorageFull, StoreUnavailable, type StateChange } from '../../core/store.ts'
import { runWrite, type WriteOperation, type Written } from '../operations/commit.ts'
import { chores, writes } from '../operations/index.ts'
import { openRevocationLog, type Ending } from '../revocations.ts'
import type { Db } from '../schema.ts'
import { violationOf } from '../violations.ts'
import { backupTo } from './backup.ts'
import { checkpoint } from './checkpoint.ts'
import { kyselyOver } from './dialect.ts'
import { mainFile, openWriter } from './files.ts'
import type { Call } from './messages.ts'
import { createDiskSpace, createLimitedSpace } from './space.ts'
import { isBroken, isFull } from './sqlite-errors.ts'
import { serveCalls, type WorkerEnd } from './worker-end.ts'

/** What the writer is started with. */
export interface WriterData {
  readonly folder: string
  readonly checkpointsFolder: string
  readonly maxBytes: number | null
  /** One shared number: 1 while the disk is near full, for the usage worker to see. */
  readonly nearFull: Int32Array
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by `sqlite/store.ts`
const { folder, checkpointsFolder, maxBytes, nearFull } = workerData as WriterData
const database = openWriter(mainFile(folder), 'FULL')
const db = kyselyOver(database)
const log = openRevocationLog(checkpointsFolder)
const space = maxBytes === null ? createDiskSpace(folder) : createLimitedSpace(database, maxBytes)
let state = space.check()
/** Why no more writes are taken: a commit failed in a way that leaves its outcome open. */
let broken: string | null = null

/** An operation's outcome before its commit: the answer, and what of it goes to the revocation log. */
type Outcome = { readonly answer: unknown; readonly endings: readonly Ending[] } | { readonly thrown: unknown }

interface Job {
  readonly call: Call
  readonly run: (tx: Db) => Promise<{ readonly keep: boolean; readonly outcome: Outcome }>
  /** Whether it may run in this much room. */
  readonly urgency: 'ending' | 'closing' | 'ordinary' | 'issuing'
}

serveCalls(async (calls, end) => {
  const jobs: Job[] = []
  for (const call of calls) {
    if (call.name === 'close') shutDown(call, end)
    else if (call.name === 'space') end.answer(call.id, { ...checkSpace(), databaseBytes: databaseBytes() })
    else if (call.name === 'backup') void backupTo(database, call, end)
    else jobs.push(jobOf(call))
  }
  if (jobs.length > 0) await serveJobs(jobs, end)
})

function jobOf(call: Call): Job {
  const { name, input } = call
  if (name in writes) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- name and input are a pair of `Engine.write`
    const operation = writes[name as keyof typeof writes] as WriteOperation<{ readonly by: Provenance }, unknown>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    const typed = input as { readonly by: Provenance }
    return { call, urgency: urgencyOf(name, input), run: async (tx) => written(await runWrite(tx, operation, typed)) }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- name and input are a pair of `Engine.chore`
  const chore = chores[name as keyof typeof chores] as (tx: Db, input: unknown) => Promise<unknown>
  return {
    call,
    urgency: urgencyOf(name, input),
    run: async (tx) => ({ keep: true, outcome: { answer: await chore(tx, input), endings: [] } }),
  }
}

function written(result: Awaited<ReturnType<typeof runWrite<{ readonly by: Provenance }, unknown>>>): {
  keep: boolean
  outcome: Outcome
} {
  if (!result.ok) return { keep: false, outcome: { answer: result, endings: [] } }
  const { committed, endings }: Written<unknown> = result.value
  return { keep: true, outcome: { answer: { ok: true, value: committed }, endings } }
}

const issuing = new Set([
  'accounts.create',
  'projects.create',
  'credentials.create',
  'credentials.rotate',
  'credentials.import',
  'connections.create',
  'tokens.mint',
  'grants.consent',
  'people.invite',
])

const ending = new Set([
  'tokens.revoke',
  'grants.withdraw',
  'people.revokeInvitation',
  'people.removeMember',
  'people.endSession',
  'people.endSessions',
  'system.note',
])

function urgencyOf(name: string, input: unknown): Job['urgency'] {
  if (issuing.has(name)) return 'issuing'
  if (ending.has(name)) return 'ending'
  if (name === 'credentials.closeWindows') return 'closing'
  if (name === 'tokens.spendCode' || name === 'tokens.rotateRefresh') {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inputs of the two operations named
    return (input as { successors: readonly unknown[] }).successors.length === 0 ? 'ending' : 'issuing'
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inputs of the two operations named
  if (name === 'accounts.setState') return (input as { state: string }).state === 'suspended' ? 'ending' : 'ordinary'
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  if (name === 'people.setUserState') return (input as { state: string }).state === 'disabled' ? 'ending' : 'ordinary'
  if (name !== 'credentials.setState') return 'ordinary'
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return (input as { change: StateChange }).change.to === 'active' ? 'ordinary' : 'ending'
}

async function serveJobs(jobs: readonly Job[], end: WorkerEnd): Promise<void> {
  checkSpace()
  const admitted: Job[] = []
  for (const job of jobs) {
    if (broken !== null) end.reject(job.call.id, new StoreUnavailable(broken))
    else if (admits(job)) admitted.push(job)
    else settle(end, job, noRoom(job))
  }
  if (admitted.length === 0) return
  const outcomes = await commitTogether(admitted)
  if (outcomes === 'full') for (const job of admitted) await serveAlone(job, end)
  else finish(admitted, outcomes, end)
  if (broken === null) tidy(admitted)
}

/** Near a full disk issuing stops first; once the ballast is used, all that does not end something. */
function admits({ urgency }: Job): boolean {
  if (urgency === 'ending' || urgency === 'closing') return true
  return state.ballast === 'whole' && !(urgency === 'issuing' && state.full)
}

const noRoom = ({ call }: Job): Outcome =>
  call.name in writes
    ? { answer: fail({ code: 'storage_full' }), endings: [] }
    : { thrown: new StorageFull('the disk is full') }

/** On a disk that is full each stands for itself, and what ends something may use the ballast. */
async function serveAlone(job: Job, end: WorkerEnd): Promise<void> {
  let outcomes = broken === null && admits(job) ? await commitTogether([job]) : 'full'
  if (outcomes === 'full' && broken === null) {
    checkpoint(database, 'PASSIVE')
    if (job.urgency === 'ending') {
      space.release()
      checkSpace()
      outcomes = await commitTogether([job])
    }
  }
  if (broken !== null) end.reject(job.call.id, new StoreUnavailable(broken))
  else if (outcomes === 'full') settle(end, job, noRoom(job))
  else {
    finish([job], outcomes, end)
    checkpoint(database, 'PASSIVE')
  }
}

/** One transaction, a savepoint each, one commit. `full`: nothing of it is stored. */
async function commitTogether(jobs: readonly Job[]): Promise<readonly Outcome[] | 'full'> {
  const outcomes: Outcome[] = []
  try {
    database.exec('begin immediate')
    for (const job of jobs) outcomes.push(await runInSavepoint(job))
    database.exec('commit')
    return outcomes
  } catch (error) {
    if (database.inTransaction) database.exec('rollback')
    if (isFull(error)) return 'full'
    if (isBroken(error)) broken = `the database failed: ${String(error)}`
    return jobs.map(() => ({ thrown: new StoreUnavailable('the database did not take the write', { cause: error }) }))
  }
}

/** Of one statement, which leaves nothing behind by itself where it fails: a savepoint would cost as much as a part of it. */
const ofOneStatement: ReadonlySet<string> = new Set(['tokens.mint'])

const savepoint = {
  set: database.prepare('savepoint job'),
  undo: database.prepare('rollback to job'),
  end: database.prepare('release job'),
}

/** What refuses or throws leaves nothing behind, and the others of the group untouched. */
async function runInSavepoint(job: Job): Promise<Outcome> {
  const guarded = !ofOneStatement.has(job.call.name)
  if (guarded) savepoint.set.run()
  try {
    const { keep, outcome } = await job.run(db)
    if (guarded && !keep) savepoint.undo.run()
    if (guarded) savepoint.end.run()
    return outcome
  } catch (error) {
    // Where the database itself gave up, the whole group has.
    if (isFull(error) || isBroken(error) || !database.inTransaction) throw error
    if (guarded) {
      savepoint.undo.run()
      savepoint.end.run()
    }
    // A chore has no refusal to answer: it throws.
    const sentence = job.call.name in writes ? violationOf(error) : null
    return sentence === null ? { thrown: error } : { answer: fail({ code: 'conflict', what: sentence }), endings: [] }
  }
}

/** What they delete is to be in no file any more, the write-ahead log included. */
const leavingNothing = new Set(['credentials.closeWindows', 'people.erase'])

/** After the commit: the revocation log on the disk, then the answers. */
function finish(jobs: readonly Job[], outcomes: readonly Outcome[], end: WorkerEnd): void {
  const unlogged = logEndings(outcomes.flatMap((outcome) => ('endings' in outcome ? outcome.endings : [])))
  if (jobs.some(({ call }) => leavingNothing.has(call.name))) checkpoint(database, 'TRUNCATE')
  for (const [index, job] of jobs.entries()) {
    const outcome = outcomes[index] ?? { thrown: new Error('a job without an outcome') }
    const ends = 'endings' in outcome && outcome.endings.length > 0
    settle(end, job, unlogged !== null && ends ? { thrown: unlogged } : outcome)
  }
}

/** Null, or what to say of a change that is committed (and will be seen in the feed) but not in the log. */
function logEndings(endings: readonly Ending[]): StoreUnavailable | null {
  try {
    log.append(endings)
    return null
  } catch (error) {
    if (!isFull(error) || !space.release()) return notLogged(error)
  }
  try {
    log.append([])
    return null
  } catch (error) {
    return notLogged(error)
  }
}

const notLogged = (cause: unknown): StoreUnavailable =>
  new StoreUnavailable('the change is stored, but the revocation log could not be written', { cause })

function settle(end: WorkerEnd, { call }: Job, outcome: Outcome): void {
  if ('thrown' in outcome) end.reject(call.id, outcome.thrown)
  else end.answer(call.id, outcome.answer)
}

/** Between groups: the write-ahead log stays small, and near a full disk it is used again instead of growing. */
function tidy(jobs: readonly Job[]): void {
  if (jobs.length === 0) return
  if (state.full) checkpoint(database, 'PASSIVE')
  else checkpoint(database, 'LARGE')
}

function checkSpace(): typeof state {
  state = space.check()
  Atomics.store(nearFull, 0, state.full ? 1 : 0)
  return state
}

function databaseBytes(): number {
  return (
    Number(database.pragma('page_count', { simple: true })) * Number(database.pragma('page_size', { simple: true }))
  )
}

function shutDown(call: Call, end: WorkerEnd): void {
  database.close()
  log.close()
  broken = 'the store is closed'
  end.answer(call.id, null)
}
