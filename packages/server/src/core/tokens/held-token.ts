import type { DerivedRights } from '../decision/held-rights.ts'
import type { Principal, Standing } from '../records/principal.ts'
import type { ForeignToken } from './jwt-verifier.ts'
import type { TokenRecord } from './token.ts'

/**
 * A token that was found good, as the decision asks for it: one of ours, or a verified one of another issuer. What
 * follows from it is kept beside it for as long as nothing changes that it follows from.
 */
export class HeldToken implements Standing {
  /** `tok_…`; null where it is of another issuer. */
  readonly id: string | null
  /** The credential that it acts as, or whose client presents it. */
  readonly credential: string
  readonly grant: string | null
  readonly family: string | null
  readonly label: string | null
  /** Of another issuer's subject. That of a grant is its user, now. */
  readonly subject: string | null
  /** Null: from the start. */
  readonly notBefore: number | null
  readonly expiresAt: number
  readonly #api: string
  readonly #scopes: readonly string[]
  readonly #scopesByApi: ReadonlyMap<string, readonly string[]> | null
  revoked: boolean
  /** It left memory: whoever goes on with it has to ask again. */
  forgotten = false
  /** Used since it was last looked at, for eviction. */
  used = false
  /** Rows of the record table, as they were last: of who presents it, and of whom it is for. */
  holder = -1
  row = -1
  /** The table's removals when these were found. */
  asOf = -1
  derived: DerivedRights | null = null
  principal: Principal | null = null

  constructor(from: TokenRecord | ForeignToken) {
    const own = 'id' in from ? from : null
    const foreign = 'issuer' in from ? from : null
    this.id = own?.id ?? null
    this.credential = from.credential
    this.grant = own?.grant ?? null
    this.family = own?.family ?? null
    this.label = own?.label ?? null
    this.subject = foreign?.subject ?? null
    this.notBefore = foreign?.notBefore ?? null
    this.expiresAt = from.expiresAt
    this.#api = own?.api ?? ''
    this.#scopes = own?.scopes ?? []
    this.#scopesByApi = foreign?.scopesByApi ?? null
    this.revoked = own?.revoked ?? false
  }

  /** What it carries on an API; null: it is for another one. */
  scopesOn(api: string): readonly string[] | null {
    if (this.#scopesByApi !== null) return this.#scopesByApi.get(api) ?? null
    return api === this.#api ? this.#scopes : null
  }
}
