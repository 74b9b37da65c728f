import type { GrantTable } from '../grants/grant-table.ts'
import type { GrantRecord } from '../grants/grant.ts'
import { bytesOf } from '../records/digest-words.ts'
import type { CredentialRecord } from '../records/record.ts'
import type { RecordTable } from '../records/table.ts'
import type { RecordStore } from '../store.ts'
import type { HeldToken } from '../tokens/held-token.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { TokenStore } from '../tokens/token-store.ts'
import type { NewToken, TokenRecord, TokenRevocation } from '../tokens/token.ts'
import type { RecentChanges } from './recent-changes.ts'

/** What resolving a token may have to wait for. Both resolve to false where the store could not be asked. */
export interface TokenLoader {
  /** Reads a token that memory does not hold, and whatever is missing of those that it acts for. */
  token(words: Int32Array): Promise<boolean>
  /** Reads the credential that a token of another issuer acts as. */
  credential(id: string): Promise<boolean>
}

interface Parts {
  readonly records: Pick<RecordStore, 'byId' | 'grant'>
  readonly store: Pick<TokenStore, 'byDigest'>
  readonly table: RecordTable
  readonly cache: TokenCache
  readonly grants: GrantTable
  readonly recent: RecentChanges
  /** So many rows of the record table will be taken. */
  readonly makeRoom: (rows: number) => void
  readonly poll: () => Promise<boolean>
  readonly onError: (error: unknown) => void
}

/** What was read, as far as memory did not hold it. */
interface Read {
  readonly token: TokenRecord | null
  readonly grant: GrantRecord | null
  readonly credential: CredentialRecord | null
  /** By these names a change would have overtaken it. */
  readonly names: readonly string[]
}

const attemptsMax = 5

/** One query for one token, however many requests wait for it; discarded where a change overtook it. */
export class TokenLoads implements TokenLoader {
  readonly #parts: Parts
  readonly #running = new Map<string, Promise<boolean>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  token(words: Int32Array): Promise<boolean> {
    const own = Int32Array.from(words)
    return this.#once(own.join(' '), () => this.#readToken(own))
  }

  credential(id: string): Promise<boolean> {
    return this.#once(id, async () => {
      const credential = this.#isHeld(id) ? null : await this.#parts.records.byId({ id })
      return { token: null, grant: null, credential, names: [id] }
    })
  }

  /** Tokens of our own commit, before its answer is given. What has come to an end since is put as such. */
  minted(tokens: readonly NewToken[]): void {
    const { recent, cache } = this.#parts
    for (const token of tokens) {
      if (token.kind !== 'access') continue
      const revoked = namesOf(token).some((name) => recent.has(name))
      cache.put({ ...token, revoked })
    }
  }

  revoke(revocations: readonly TokenRevocation[]): void {
    const { recent, cache } = this.#parts
    for (const revocation of revocations) {
      cache.revoke(revocation)
      recent.note(revocation.of === 'token' ? digestName(revocation.digest) : revocation.family)
    }
  }

  applyGrants(changed: readonly GrantRecord[]): void {
    const { recent, grants } = this.#parts
    grants.apply(changed)
    for (const { id } of changed) recent.note(id)
  }

  #once(key: string, read: () => Promise<Read | null>): Promise<boolean> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const load = this.#load(read).finally(() => this.#running.delete(key))
    this.#running.set(key, load)
    return load
  }

  async #load(read: () => Promise<Read | null>): Promise<boolean> {
    const { recent, onError } = this.#parts
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const began = recent.count
      try {
        const found = await read()
        if (found === null) return true
        if (!found.names.some((name) => recent.overtook(name, began))) return await this.#put(found)
      } catch (error) {
        onError(error)
        return false
      }
    }
    return false
  }

  async #readToken(words: Int32Array): Promise<Read | null> {
    const { records, store, cache, grants } = this.#parts
    const held = cache.find(words)
    const found = held === null ? await store.byDigest({ digest: bytesOf(words) }) : null
    const of: HeldToken | TokenRecord | null = held ?? found?.token ?? null
    if (of === null) return null
    const grant =
      of.grant === null ? null : (found?.grant ?? grants.find(of.grant) ?? (await records.grant({ id: of.grant })))
    const credential = this.#isHeld(of.credential) ? null : await records.byId({ id: of.credential })
    const token = found?.token ?? null
    const names = [...(token === null ? [] : namesOf(token)), ...(of.grant === null ? [] : [of.grant]), of.credential]
    return { token, grant, credential, names }
  }

  async #put({ token, grant, credential }: Read): Promise<boolean> {
    const { table, cache, grants, makeRoom, poll } = this.#parts
    // Before it is put, so that it is not itself what leaves.
    makeRoom((grant === null ? 0 : 1) + (credential === null ? 0 : 1))
    if (token !== null) cache.put(token)
    if (grant !== null) grants.put(grant)
    if (credential !== null) table.put(credential)
    const rows = [grant?.id, credential?.id].flatMap((id) => (id === undefined ? [] : [table.findCredential(id)]))
    // Of an account or project that is newer than what we know.
    const known = rows.every((row) => table.account(row).record !== null && table.project(row).record !== null)
    return known || (await poll())
  }

  /** Marked as used, so that it does not leave while the rest is read. */
  #isHeld(id: string): boolean {
    const { table } = this.#parts
    const row = table.findCredential(id)
    if (row === -1) return false
    table.touch(row)
    return true
  }
}

function namesOf({ digest, family }: Pick<TokenRecord, 'digest' | 'family'>): readonly string[] {
  return family === null ? [digestName(digest)] : [digestName(digest), family]
}

const digestName = (digest: Uint8Array): string => `digest ${Buffer.from(digest).toString('latin1')}`
