import type { Result } from '../base/result.ts'
import type { Provenance } from '../core/audit/event.ts'
import type { SecretInfo } from '../core/credentials/credential.ts'
import type { Committed, RecordStore, Retention, Store, SystemStore, WriteRefusal } from '../core/store.ts'
import type { UsageFlush } from '../core/usage/usage.ts'
import type { Draft } from './operations/commit.ts'
import type { AnswerOf, Chores, InputOf, Reads, UsageReads, Writes } from './operations/index.ts'
import { lastUsesOf } from './operations/rows.ts'

type ValueOf<Operation> = AnswerOf<Operation> extends Result<Draft<infer Value>, WriteRefusal> ? Value : never

/** What a database has to give, so that the interfaces of `core/store.ts` can be made of it once for both. */
export interface Engine {
  readonly kind: Store['kind']
  write<Name extends keyof Writes>(
    name: Name,
    input: InputOf<Writes[Name]> & { readonly by: Provenance },
  ): Promise<Result<Committed<ValueOf<Writes[Name]>>, WriteRefusal>>
  chore<Name extends keyof Chores>(name: Name, input: InputOf<Chores[Name]>): Promise<AnswerOf<Chores[Name]>>
  read<Name extends keyof Reads>(name: Name, input: InputOf<Reads[Name]>): Promise<AnswerOf<Reads[Name]>>
  readUsage<Name extends keyof UsageReads>(
    name: Name,
    input: InputOf<UsageReads[Name]>,
  ): Promise<AnswerOf<UsageReads[Name]>>
  flush(flush: UsageFlush): Promise<void>
  maintain(input: { readonly now: number; readonly retention: Retention }): Promise<void>
  chunks: RecordStore['chunks']
  backup: SystemStore['backup']
  space: SystemStore['space']
  listen: Store['listen']
  close(): Promise<void>
}

export function storeOf(engine: Engine): Store {
  return {
    kind: engine.kind,
    accounts: {
      create: (input) => engine.write('accounts.create', input),
      update: (input) => engine.write('accounts.update', input),
      setState: (input) => engine.write('accounts.setState', input),
      find: (input) => engine.read('accounts.find', input),
      list: (input) => engine.read('accounts.list', input),
    },
    projects: {
      create: (input) => engine.write('projects.create', input),
      update: (input) => engine.write('projects.update', input),
      find: (input) => engine.read('projects.find', input),
      list: (input) => engine.read('projects.list', input),
    },
    credentials: {
      create: (input) => engine.write('credentials.create', input),
      update: (input) => engine.write('credentials.update', input),
      rotate: (input) => engine.write('credentials.rotate', input),
      endSecret: (input) => engine.write('credentials.endSecret', input),
      setState: (input) => engine.write('credentials.setState', input),
      markExposed: (input) => engine.write('credentials.markExposed', input),
      markTokenExposed: (input) => engine.write('credentials.markTokenExposed', input),
      import: (input) => engine.write('credentials.import', input),
      find: (input) => engine.read('credentials.find', input),
      list: (input) => engine.read('credentials.list', input),
      secrets: async (input) => withLastUses(engine, await engine.read('credentials.secrets', input)),
      reveal: (input) => engine.write('credentials.reveal', input),
      closeWindows: (input) => engine.chore('credentials.closeWindows', input),
    },
    connections: {
      create: (input) => engine.write('connections.create', input),
      update: (input) => engine.write('connections.update', input),
      rotate: (input) => engine.write('connections.rotate', input),
      setState: (input) => engine.write('connections.setState', input),
      delete: (input) => engine.write('connections.delete', input),
      read: (input) => engine.write('connections.read', input),
      recordCheck: (input) => engine.write('connections.recordCheck', input),
      find: (input) => engine.read('connections.find', input),
      findSealed: (input) => engine.read('connections.findSealed', input),
      list: (input) => engine.read('connections.list', input),
      noteUses: (input) => engine.chore('connections.noteUses', input),
    },
    tokens: {
      mint: (input) => engine.chore('tokens.mint', input),
      findCode: (input) => engine.read('tokens.findCode', input),
      spendCode: (input) => engine.write('tokens.spendCode', input),
      findRefresh: (input) => engine.read('tokens.findRefresh', input),
      rotateRefresh: (input) => engine.write('tokens.rotateRefresh', input),
      byDigest: (input) => engine.read('tokens.byDigest', input),
      describe: (input) => engine.read('tokens.describe', input),
      revoke: (input) => engine.write('tokens.revoke', input),
      find: (input) => engine.read('tokens.find', input),
      list: (input) => engine.read('tokens.list', input),
      prune: (input) => engine.chore('tokens.prune', input),
    },
    grants: {
      consent: (input) => engine.write('grants.consent', input),
      withdraw: (input) => engine.write('grants.withdraw', input),
      find: (input) => engine.read('grants.find', input),
      list: (input) => engine.read('grants.list', input),
    },
    people: {
      invite: (input) => engine.write('people.invite', input),
      revokeInvitation: (input) => engine.write('people.revokeInvitation', input),
      findInvitation: (input) => engine.read('people.findInvitation', input),
      listInvitations: (input) => engine.read('people.listInvitations', input),
      acceptInvitation: (input) => engine.write('people.acceptInvitation', input),
      setRole: (input) => engine.write('people.setRole', input),
      removeMember: (input) => engine.write('people.removeMember', input),
      findMember: (input) => engine.read('people.findMember', input),
      listMembers: (input) => engine.read('people.listMembers', input),
      membershipsOf: (input) => engine.read('people.membershipsOf', input),
      findUser: (input) => engine.read('people.findUser', input),
      listUsers: (input) => engine.read('people.listUsers', input),
      proofsOf: (input) => engine.read('people.proofsOf', input),
      setPassword: (input) => engine.write('people.setPassword', input),
      setSecondFactor: (input) => engine.write('people.setSecondFactor', input),
      spendTotpStep: (input) => engine.chore('people.spendTotpStep', input),
      spendRecoveryCode: (input) => engine.write('people.spendRecoveryCode', input),
      setUserState: (input) => engine.write('people.setUserState', input),
      offerReset: (input) => engine.write('people.offerReset', input),
      redeemReset: (input) => engine.write('people.redeemReset', input),
      findReset: (input) => engine.read('people.findReset', input),
      note: (input) => engine.write('people.note', input),
      erase: (input) => engine.write('people.erase', input),
      startSession: (input) => engine.chore('people.startSession', input),
      findSession: (input) => engine.read('people.findSession', input),
      rotateSession: (input) => engine.chore('people.rotateSession', input),
      touchSession: (input) => engine.chore('people.touchSession', input),
      endSession: (input) => engine.write('people.endSession', input),
      endSessions: (input) => engine.write('people.endSessions', input),
      listSessions: (input) => engine.read('people.listSessions', input),
      prune: (input) => engine.chore('people.prune', input),
    },
    events: {
      list: (input) => engine.read('events.list', input),
      range: (input) => engine.read('events.range', input),
      head: () => engine.read('events.head', undefined),
    },
    records: {
      snapshot: () => engine.read('records.snapshot', undefined),
      chunks: (input) => engine.chunks(input),
      byDigest: (input) => engine.read('records.byDigest', input),
      byId: (input) => engine.read('records.byId', input),
      grant: (input) => engine.read('records.grant', input),
      since: (input) => engine.read('records.since', input),
    },
    usage: {
      flush: (input) => engine.flush(input),
      query: (input) => engine.readUsage('usage.query', input),
      models: (input) => engine.readUsage('usage.models', input),
      latency: (input) => engine.readUsage('usage.latency', input),
      requests: (input) => engine.readUsage('usage.requests', input),
      request: (input) => engine.readUsage('usage.request', input),
      observedThrough: (input) => engine.readUsage('usage.observedThrough', input),
      dropped: (input) => engine.readUsage('usage.dropped', input),
      maintain: (input) => engine.maintain(input),
    },
    quotas: {
      add: (input) => engine.chore('quotas.add', input),
      load: (input) => engine.read('quotas.load', input),
      prune: (input) => engine.chore('quotas.prune', input),
    },
    idempotency: {
      start: (input) => engine.chore('idempotency.start', input),
      finish: (input) => engine.chore('idempotency.finish', input),
      abandon: (input) => engine.chore('idempotency.abandon', input),
    },
    system: {
      note: (input) => engine.write('system.note', input),
      inUse: () => engine.read('system.inUse', undefined),
      counts: () => engine.read('system.counts', undefined),
      backup: (input) => engine.backup(input),
      space: () => engine.space(),
      dropLent: () => engine.chore('system.dropLent', undefined),
      ping: () => engine.read('system.ping', undefined),
    },
    listen: (onHint) => engine.listen(onHint),
    close: () => engine.close(),
  }
}

async function withLastUses(engine: Engine, secrets: readonly SecretInfo[]): Promise<readonly SecretInfo[]> {
  const uses = await engine.readUsage('usage.lastUses', { secrets: secrets.map(({ id }) => id) })
  const bySecret = new Map(uses.map((use) => [use.secret, use]))
  return secrets.map((secret) => ({ ...secret, ...lastUsesOf(bySecret.get(secret.id)) }))
}
