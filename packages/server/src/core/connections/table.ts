import { fail, ok, type Result } from '../../base/result.ts'
import type { Secret } from '../../base/secret.ts'
import { operatorAccountId } from '../accounts/account.ts'
import type { ConnectionUse } from '../apis/api.ts'
import type { ConnectionRecord, FieldSealing } from './connection.ts'
import { injectionOf, type Injection } from './injection.ts'
import { platformOf } from './platforms/index.ts'

/** Why no credential can be injected. Whatever it is, the request is not forwarded without one. */
export type Unusable =
  /** No connection of this name, or of this platform for this project. */
  | 'absent'
  | 'disabled'
  /** Two active connections of the platform: which one was meant must not be guessed. */
  | 'several'
  /** The sealed copy does not open here. */
  | 'unreadable'
  /** The platform takes its credential in the body. */
  | 'body'

/** Whose request it is, for connections of the customer's own. */
interface Owner {
  readonly account: string
  readonly project: string
}

/** Connections as the gateway needs them: found without waiting, opened when first used, dropped when they change. */
export interface ConnectionTable {
  /** Takes in after-images; an older one never replaces a newer one. */
  apply(records: readonly ConnectionRecord[]): void
  /** `now` in epoch ms is noted as the last use. */
  find(use: ConnectionUse, owner: Owner | null, now: number): Result<Injection, Unusable>
  /** Whether what was found is still of an active connection, with the same secrets. */
  inForce(injection: Injection): boolean
  /** Last uses since the last call. */
  takeUses(): readonly { readonly id: string; readonly at: number }[]
}

interface Entry {
  readonly record: ConnectionRecord
  opened: Result<Injection, Unusable> | null
  /** When what could not be read is tried again: a key file may come back. */
  retryAt: number
  usedAt: number
}

const retryMs = 10_000
/** Ids of deleted connections that are remembered, so that an image on its way does not bring them back. */
const deletedMax = 10_000

export function createConnectionTable(
  sealing: Pick<FieldSealing, 'open'>,
  reportFault: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void,
): ConnectionTable {
  const entries = new Map<string, Entry>()
  const deleted = new Map<string, number>()
  /** Ids of connections: an injection says nothing of where it comes from. */
  const foundIn = new WeakMap<Injection, string>()
  const named = new Map<string, Entry>()
  /** Owner (a project, or an account for all of its projects) → platform → its connections. */
  const owned = new Map<string, Map<string, readonly Entry[]>>()
  let used = new Set<Entry>()

  const index = (entry: Entry, add: boolean): void => {
    const { account, project, platform, name } = entry.record
    if (account === operatorAccountId) {
      if (add) named.set(name, entry)
      else if (named.get(name) === entry) named.delete(name)
      return
    }
    const owner = project ?? account
    const ofOwner = owned.get(owner) ?? new Map<string, readonly Entry[]>()
    const others = (ofOwner.get(platform) ?? []).filter((other) => other !== entry)
    const now = add ? [...others, entry] : others
    if (now.length > 0) ofOwner.set(platform, now)
    else ofOwner.delete(platform)
    if (ofOwner.size > 0) owned.set(owner, ofOwner)
    else owned.delete(owner)
  }

  const take = (record: ConnectionRecord): void => {
    const before = entries.get(record.id)
    const known = before?.record.version ?? deleted.get(record.id) ?? 0
    if (known >= record.version) return
    if (before !== undefined) {
      index(before, false)
      entries.delete(record.id)
    }
    if (record.state === 'deleted') {
      remember(deleted, record)
      return
    }
    const same = record.state === 'active' && before?.record.secretVersion === record.secretVersion
    // Nothing stays in clear that is not used: what is disabled is opened anew.
    const entry: Entry = { record, opened: same ? before.opened : null, retryAt: 0, usedAt: 0 }
    entries.set(record.id, entry)
    index(entry, true)
  }

  const open = (entry: Entry, now: number): Result<Injection, Unusable> => {
    const { opened } = entry
    if (opened !== null && (opened.ok || opened.error !== 'unreadable' || now < entry.retryAt)) return opened
    entry.opened = openRecord(entry.record, sealing, reportFault)
    entry.retryAt = now + retryMs
    if (entry.opened.ok) foundIn.set(entry.opened.value, entry.record.id)
    return entry.opened
  }

  const choose = (use: ConnectionUse, owner: Owner | null): Entry | 'absent' | 'several' => {
    if ('name' in use) return named.get(use.name) ?? 'absent'
    if (owner === null) return 'absent'
    const all = owned.get(owner.project)?.get(use.platform) ?? owned.get(owner.account)?.get(use.platform) ?? []
    const active = all.length > 1 ? all.filter(({ record }) => record.state === 'active') : all
    return active.length > 1 ? 'several' : (active[0] ?? all[0] ?? 'absent')
  }

  return {
    apply: (records) => records.forEach(take),
    find: (use, owner, now) => {
      const entry = choose(use, owner)
      if (typeof entry === 'string') return fail(entry)
      if (entry.record.state === 'disabled') return fail('disabled')
      const opened = open(entry, now)
      if (opened.ok) {
        entry.usedAt = now
        used.add(entry)
      }
      return opened
    },
    inForce: (injection) => {
      const { record, opened } = entries.get(foundIn.get(injection) ?? '') ?? { record: null, opened: null }
      return record?.state === 'active' && opened?.ok === true && opened.value === injection
    },
    takeUses: () => {
      const uses = [...used].map(({ record, usedAt }) => ({ id: record.id, at: usedAt }))
      used = new Set()
      return uses
    },
  }
}

function remember(deleted: Map<string, number>, { id, version }: ConnectionRecord): void {
  deleted.delete(id)
  deleted.set(id, version)
  for (const oldest of deleted.keys()) {
    if (deleted.size <= deletedMax) break
    deleted.delete(oldest)
  }
}

function openRecord(
  record: ConnectionRecord,
  sealing: Pick<FieldSealing, 'open'>,
  reportFault: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void,
): Result<Injection, Unusable> {
  const platform = platformOf(record.platform)
  if (platform === null) return fail('absent')
  try {
    const injected = injectionOf(platform.places(record.settings), record.settings, openSecrets(record, sealing))
    return injected.ok ? ok(injected.value) : fail('body')
  } catch (error) {
    reportFault('connection.seal_broken', { connection: record.id, name: record.name }, error)
    return fail('unreadable')
  }
}

/** Every sealed field in clear. Throws `SealBroken`. */
export function openSecrets(
  record: Pick<ConnectionRecord, 'id' | 'account' | 'project' | 'secretVersion' | 'sealed'>,
  sealing: Pick<FieldSealing, 'open'>,
): ReadonlyMap<string, Secret> {
  const { id: connection, account, project, secretVersion } = record
  return new Map(
    record.sealed.map((sealed) => {
      const place = { connection, account, project, field: sealed.field, secretVersion }
      return [sealed.field, sealing.open(sealed, place)]
    }),
  )
}
