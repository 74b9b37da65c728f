import type { Accept, Api } from '../apis/api.ts'
import { classifyKey, type ShapeClass } from '../credentials/format.ts'
import type { TokenLoader } from '../feed/token-loads.ts'
import type { GrantTable } from '../grants/grant-table.ts'
import type { GrantRecord } from '../grants/grant.ts'
import { digestWords } from '../records/digest-words.ts'
import type { RecordTable } from '../records/table.ts'
import { HeldToken } from '../tokens/held-token.ts'
import type { ForeignToken, Instant, JwtVerdict, JwtVerifier } from '../tokens/jwt-verifier.ts'
import type { TokenCache } from '../tokens/token-cache.ts'
import type { Presented } from './evaluation.ts'

/** What resolving may have to wait for: the store's word on a secret that memory does not hold. */
export interface Freshness {
  /** Whether records may still be acted on at this instant (design, section 5). */
  isFresh(now: number, monotonic: number): boolean
  /**
   * Brings memory up to date before a secret is called unknown; null where it already is. Resolves to false where
   * the store could not be asked.
   */
  catchUp(words: Int32Array, monotonic: number): Promise<boolean> | null
}

/** Where tokens are found. */
export interface TokenParts {
  readonly cache: TokenCache
  readonly grants: GrantTable
  readonly loads: TokenLoader
  readonly jwts: JwtVerifier
}

/** What is known of what was presented. */
export interface Known {
  readonly shape: ShapeClass
  readonly form: Accept
  /** -1 where memory holds no such secret, or where it is a token. */
  readonly secretRow: number
  readonly token: HeldToken | null
  readonly grant: GrantRecord | null
  /** Of the record table: whom it is for, and who presents it; -1 where that is not known. */
  readonly row: number
  readonly holder: number
  /** Row of the pair beside a token, -1 where it is not known; null where there is none. */
  readonly beside: number | null
  /** Of a JWT that is not good, or not yet. */
  readonly verdict: JwtVerdict | null
  /** False: the store had to be asked and did not answer. */
  readonly answered: boolean
}

export interface Asked {
  readonly api: Api
  readonly presented: Presented
  readonly beside: Presented | null
  readonly at: Instant
  /** Whether the peer's budget of failed attempts is spent: nothing is verified or loaded for it any more. */
  readonly spent: () => boolean
}

/** What was waited for: each of it once. */
export type Wait = 'secret' | 'token' | 'keys' | 'credential' | 'pair'

/** Stage 3: finds in memory whose a presented credential is, and says what else could be waited for. */
export class Resolver {
  readonly #table: RecordTable
  readonly #freshness: Freshness
  readonly #tokens: TokenParts
  readonly #words = new Int32Array(8)
  readonly #wordsBeside = new Int32Array(8)
  readonly #foreign = new WeakMap<ForeignToken, HeldToken>()

  constructor(parts: { readonly table: RecordTable; readonly freshness: Freshness; readonly tokens: TokenParts }) {
    this.#table = parts.table
    this.#freshness = parts.freshness
    this.#tokens = parts.tokens
  }

  /** In memory only. The digests stay with the resolver until the next call, for `wait`. */
  lookUp(asked: Asked, brands: readonly string[], answered: boolean): Known {
    const { presented } = asked
    const shape = classifyKey(presented.secret, brands)
    const beside = asked.beside === null ? null : this.#rowBeside(asked.beside, brands)
    switch (shape) {
      case 'key':
      case 'foreign':
      case 'client_secret':
        return this.#secret(asked, shape, beside, answered)
      case 'access':
        digestWords(presented.secret, this.#words)
        return this.#token(asked, this.#tokens.cache.find(this.#words), { shape, beside, answered, verdict: null })
      case 'jwt':
        return this.#jwt(asked, beside, answered)
      // They are for the token endpoint: whether they are known is no business of whoever sends them here.
      case 'refresh':
      case 'code':
      case 'malformed':
        return unknown('key', null, { shape, beside, answered, verdict: null })
    }
  }

  /** What could make it known yet, where it is not, each thing once; null: nothing. */
  wait(asked: Asked, found: Known, waited: ReadonlySet<Wait>): Waiting | null {
    const what = found.row === -1 ? missing(asked, found) : found.beside === -1 ? 'pair' : null
    if (what === null || waited.has(what) || asked.spent()) return null
    const promise = this.#begin(what, asked, found)
    return promise === null ? null : { what, promise }
  }

  #secret(asked: Asked, shape: ShapeClass, beside: number | null, answered: boolean): Known {
    const secretRow = this.#findSecret(asked.presented, asked.api)
    const row = secretRow === -1 ? -1 : this.#table.owner(secretRow)
    return {
      shape,
      form: 'key',
      secretRow,
      token: null,
      grant: null,
      row,
      holder: row,
      beside,
      verdict: null,
      answered,
    }
  }

  /** Row of the secret; -1 too where the id half does not own it: a foreign pair is as unknown as a wrong secret. */
  #findSecret({ secret, publicId }: Presented, api: Api): number {
    digestWords(secret, this.#words)
    const secretRow = this.#table.findSecret(this.#words)
    if (secretRow === -1) return -1
    if (publicId === null) return api.preset.form === 'pair' ? -1 : secretRow
    return this.#table.ownsPublicId(this.#table.owner(secretRow), publicId) ? secretRow : -1
  }

  #token({ presented }: Asked, held: HeldToken | null, of: Circumstances): Known {
    const form = of.shape === 'jwt' ? 'jwt' : 'token'
    if (held === null) return unknown(form, null, of)
    const table = this.#table
    if (held.asOf !== table.removals || held.holder === -1 || (held.grant !== null && held.row === -1))
      find(held, table)
    const { holder } = held
    if (holder === -1) return unknown(form, held, of)
    // An id that goes with a token has to be that of its credential.
    const owned = presented.publicId === null || table.ownsPublicId(holder, presented.publicId)
    let row = holder
    let grant: GrantRecord | null = null
    if (held.grant !== null) {
      grant = this.#tokens.grants.find(held.grant)
      if (grant === null) held.row = -1
      row = held.row
    }
    if (row === -1 || !owned) return unknown(form, held, of)
    const { shape, beside, verdict, answered } = of
    return { shape, form, secretRow: -1, token: held, grant, row, holder, beside, verdict, answered }
  }

  /** What looks like a JWT may be an imported key, and is one where no place of the API takes JWTs. */
  #jwt(asked: Asked, beside: number | null, answered: boolean): Known {
    const asKey = this.#secret(asked, 'jwt', beside, answered)
    if (asKey.row !== -1 || !takesJwts(asked.api)) return asKey
    const { jwts, cache } = this.#tokens
    const verdict =
      jwts.known(this.#words, asked.at) ??
      (asked.spent() ? null : jwts.verify(asked.presented.secret, this.#words, asked.at))
    const of = { shape: 'jwt', beside, answered, verdict } as const
    if (verdict?.kind === 'own') return this.#token(asked, cache.find(this.#words), of)
    return this.#token(asked, verdict?.kind === 'foreign' ? this.#heldOf(verdict.token) : null, of)
  }

  #heldOf(token: ForeignToken): HeldToken {
    const known = this.#foreign.get(token)
    if (known !== undefined) return known
    const made = new HeldToken(token)
    this.#foreign.set(token, made)
    return made
  }

  #rowBeside(pair: Presented, brands: readonly string[]): number {
    if (pair.publicId === null || classifyKey(pair.secret, brands) === 'malformed') return -1
    digestWords(pair.secret, this.#wordsBeside)
    const secretRow = this.#table.findSecret(this.#wordsBeside)
    if (secretRow === -1) return -1
    const row = this.#table.owner(secretRow)
    return this.#table.ownsPublicId(row, pair.publicId) ? row : -1
  }

  #begin(what: Wait, { at }: Asked, { token, verdict }: Known): Promise<boolean> | null {
    const { loads } = this.#tokens
    switch (what) {
      case 'secret':
        return this.#freshness.catchUp(this.#words, at.monotonic)
      case 'pair':
        return this.#freshness.catchUp(this.#wordsBeside, at.monotonic)
      case 'token':
        return loads.token(this.#words)
      case 'credential':
        return token === null ? null : loads.credential(token.credential)
      case 'keys':
        return verdict?.kind === 'pending' ? verdict.fetched.then(() => true) : null
    }
  }
}

export interface Waiting {
  readonly what: Wait
  readonly promise: Promise<boolean>
}

type Circumstances = Pick<Known, 'shape' | 'beside' | 'answered' | 'verdict'>

function unknown(form: Accept, token: HeldToken | null, of: Circumstances): Known {
  const { shape, beside, verdict, answered } = of
  return { shape, form, secretRow: -1, token, grant: null, row: -1, holder: -1, beside, verdict, answered }
}

function missing({ api }: Asked, { shape, token, verdict }: Known): Wait | null {
  switch (shape) {
    case 'access':
      return isWhole(token) ? null : 'token'
    case 'jwt':
      if (verdict === null) return takesJwts(api) ? null : 'secret'
      if (verdict.kind === 'own') return isWhole(token) ? null : 'token'
      if (verdict.kind === 'foreign') return isWhole(token) ? null : 'credential'
      return verdict.kind === 'pending' ? 'keys' : null
    case 'key':
    case 'foreign':
    case 'client_secret':
      return 'secret'
    case 'refresh':
    case 'code':
    case 'malformed':
      return null
  }
}

function find(held: HeldToken, table: RecordTable): void {
  held.holder = table.findCredential(held.credential)
  held.row = held.grant === null ? held.holder : table.findCredential(held.grant)
  held.asOf = table.removals
}

/** Whether all that it stands for is in memory: then it is not for want of that that it is not taken. */
function isWhole(token: HeldToken | null): boolean {
  return token !== null && token.holder !== -1 && (token.grant === null || token.row !== -1)
}

function takesJwts(api: Api): boolean {
  return api.places.some(({ accept }) => accept.includes('jwt'))
}
