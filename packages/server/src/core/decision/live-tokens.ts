import { idTime } from '../../base/ids.ts'
import { classifyKey } from '../credentials/format.ts'
import type { GrantRecord } from '../grants/grant.ts'
import { digestWords } from '../records/digest-words.ts'
import { StoreUnavailable } from '../store.ts'
import type { HeldToken } from '../tokens/held-token.ts'
import type { Token } from '../tokens/token.ts'
import { rightsOfCandidate, standingChecks } from './checks.ts'
import { type At, type CandidateParts, clientCandidate, run } from './client-candidate.ts'
import type { RequestFacts } from './facts.ts'
import type { TokenParts } from './resolve.ts'
import { RightsCache } from './rights.ts'
import { Trail } from './trail.ts'

/** An access token that is good at this moment, wherever it is used from. */
export interface LiveToken {
  readonly id: string
  readonly credential: string
  readonly clientId: string
  /** Null: the client acts for itself. */
  readonly user: string | null
  readonly api: string
  /** What it may do now. */
  readonly scopes: readonly string[]
  readonly label: string | null
  readonly createdAt: number
  readonly expiresAt: number
}

/**
 * Tokens that are asked about instead of being used: in memory, as the gateway finds them, and judged by the same
 * checks, but for those that are about the one request.
 */
export class LiveTokens {
  readonly #parts: LiveTokensParts
  readonly #rights = new RightsCache()
  readonly #words = new Int32Array(8)

  constructor(parts: LiveTokensParts) {
    this.#parts = parts
  }

  /** Null: there is no such token, or it is good for nothing. Throws where the store had to be asked and did not answer. */
  async find(facts: RequestFacts, at: At, text: string): Promise<LiveToken | null> {
    const known = this.#find(facts, text)
    if (known !== 'missing') return known === null ? null : this.#live(facts, at, known)
    digestWords(text, this.#words)
    if (!(await this.#parts.tokens.loads.token(this.#words))) throw new StoreUnavailable('the store does not answer')
    const loaded = this.#find(facts, text)
    return loaded === null || loaded === 'missing' ? null : this.#live(facts, at, loaded)
  }

  /** What a refresh token that was read just now may be exchanged for; null: it is good for nothing. */
  refresh(facts: RequestFacts, at: At, token: Token, grant: GrantRecord | null): LiveToken | null {
    const { declaration, table } = this.#parts
    const api = declaration().apis.get(token.api)
    const holder = table.findCredential(token.credential)
    if (api === undefined || holder === -1 || grant === null) return null
    const found = { row: holder, holder, secretRow: -1, token: null, grant, form: 'token' } as const
    const candidate = clientCandidate(this.#parts, this.#rights, { facts, at, api }, found)
    const over = token.revokedAt !== null || token.spentAt !== null || facts.now >= token.expiresAt
    if (over || run(standingChecks, candidate, new Trail(false)) !== null) return null
    const { id, credential, scopes, label, createdAt, expiresAt } = token
    const clientId = table.publicId(holder) ?? ''
    return { id, credential, clientId, user: grant.user, api: api.id, scopes, label, createdAt, expiresAt }
  }

  /** `missing`: the store has to be asked. */
  #find(facts: RequestFacts, text: string): Known | null | 'missing' {
    const { table, tokens, declaration } = this.#parts
    const { brand, formerBrands } = declaration()
    const shape = classifyKey(text, [brand, ...formerBrands])
    if (shape !== 'access' && shape !== 'jwt') return null
    digestWords(text, this.#words)
    // What a key of ours has signed is good only as long as the key is.
    if (shape === 'jwt' && !this.#isSignedByUs(facts, text)) return null
    const token = tokens.cache.find(this.#words)
    if (token === null) return 'missing'
    const holder = table.findCredential(token.credential)
    const grant = token.grant === null ? null : tokens.grants.find(token.grant)
    const row = token.grant === null ? holder : grant === null ? -1 : table.findCredential(grant.id)
    return holder === -1 || row === -1 ? 'missing' : { token, grant, row, holder }
  }

  #isSignedByUs(facts: RequestFacts, text: string): boolean {
    const { jwts } = this.#parts.tokens
    return (jwts.known(this.#words, facts) ?? jwts.verify(text, this.#words, facts)).kind === 'own'
  }

  #live(facts: RequestFacts, at: At, { token, grant, row, holder }: Known): LiveToken | null {
    const { declaration, table } = this.#parts
    const api = declaration().apis.get(token.api)
    if (api === undefined || token.id === null) return null
    const found = { row, holder, secretRow: -1, token, grant, form: 'token' } as const
    const candidate = clientCandidate(this.#parts, this.#rights, { facts, at, api }, found)
    if (run(standingChecks, candidate, new Trail(false)) !== null) return null
    const { id, credential, label, expiresAt } = token
    return {
      id,
      credential,
      clientId: table.publicId(holder) ?? '',
      user: grant?.user ?? null,
      api: api.id,
      scopes: rightsOfCandidate(candidate).scopes,
      label,
      createdAt: idTime(id),
      expiresAt,
    }
  }
}

export interface LiveTokensParts extends CandidateParts {
  readonly tokens: TokenParts
}

interface Known {
  readonly token: HeldToken
  readonly grant: GrantRecord | null
  readonly row: number
  readonly holder: number
}
