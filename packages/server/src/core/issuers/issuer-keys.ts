import type { Clock, Timer } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import { fail, type Result } from '../../base/result.ts'
import type { VerifyingKey } from '../jose/jwk.ts'
import type { Outbound, OutboundAnswer } from '../outbound.ts'
import type { Instant } from '../tokens/jwt-verifier.ts'
import { lifetimeMs } from './freshness.ts'
import type { Issuer } from './issuer.ts'
import { type KeySet, readKeySet } from './key-set.ts'

export interface IssuerKeysParts {
  readonly outbound: Outbound
  readonly clock: Clock
  readonly random: Random
  /** Told when fetching begins to fail, and when it works again. */
  readonly tell: (
    event: 'issuer.keys_failing' | 'issuer.keys_fetched',
    fields: Readonly<Record<string, unknown>>,
  ) => void
}

export type KeysFound =
  | { readonly kind: 'found'; readonly keys: readonly VerifyingKey[] }
  /** As of a set that was fetched lately: the issuer has no key of this id. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'pending'; readonly fetched: Promise<void> }
  | { readonly kind: 'unavailable'; readonly retryAfterMs: number }

export interface IssuerStatus {
  readonly issuer: string
  /** `stale`: the keys are older than their answer allows and go on serving for a while. `none`: tokens get 503. */
  readonly state: 'current' | 'stale' | 'none'
  readonly keys: number
  /** Since the keys that are held were asked for; null where none are. */
  readonly ageMs: number | null
  readonly failures: number
  /** Why the last attempt failed; null where it did not. */
  readonly failing: string | null
}

const timeoutMs = 5_000
const bodyBytesMax = 1_048_576
/** After their lifetime, for as long as the issuer does not answer with others. */
const graceMs = 3_600_000
/** An unknown key id makes us ask at most this often. */
const unknownEveryMs = 30_000
const backOff = { firstMs: 1_000, maxMs: 60_000 } as const

/**
 * The keys of one issuer (security, statement 50 and 57). They are fetched when it is declared and again in the
 * background before their lifetime ends, so that a request waits only for the first ones or for a new key id.
 */
export class IssuerKeys {
  readonly #issuer: Issuer
  readonly #parts: IssuerKeysParts
  #set: KeySet = new Map()
  #held: ReadonlySet<VerifyingKey> = new Set()
  /** When the keys that are held were asked for. */
  #askedAt: Instant | null = null
  #lifetimeMs = 0
  #triedAt = Number.NEGATIVE_INFINITY
  #nextAt = 0
  #failuresInRow = 0
  #failures = 0
  #failing: string | null = null
  #fetching: Promise<void> | null = null
  #timer: Timer | null = null
  #stopped = false

  constructor(issuer: Issuer, parts: IssuerKeysParts) {
    this.#issuer = issuer
    this.#parts = parts
  }

  start(): void {
    void this.#fetch()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
  }

  /** Whether the keys of that issuer are the ones that are held here. */
  areOf({ jwksUri, algorithms, allowedPrivate }: Issuer): boolean {
    const own = this.#issuer
    return (
      own.jwksUri.href === jwksUri.href &&
      String([...own.algorithms]) === String([...algorithms]) &&
      String([own.allowedPrivate.v4, own.allowedPrivate.v6]) === String([allowedPrivate.v4, allowedPrivate.v6])
    )
  }

  find(kid: string, at: Instant): KeysFound {
    const usable = this.#isUsable(at)
    const keys = usable ? this.#set.get(kid) : undefined
    if (keys !== undefined) return { kind: 'found', keys }
    if (this.#fetching !== null) return { kind: 'pending', fetched: this.#fetching }
    if (this.#mayAsk(at)) return { kind: 'pending', fetched: this.#fetch() }
    if (usable && this.#failing === null) return { kind: 'unknown' }
    return { kind: 'unavailable', retryAfterMs: Math.max(1_000, this.#nextAt - at.monotonic) }
  }

  /** Whether what a key has verified still counts. */
  holds(key: VerifyingKey, at: Instant): boolean {
    return this.#held.has(key) && this.#isUsable(at)
  }

  status(): IssuerStatus {
    const { clock } = this.#parts
    const at = { now: clock.now(), monotonic: clock.monotonic() }
    const ageMs = this.#askedAt === null ? null : this.#age(this.#askedAt, at)
    const usable = ageMs !== null && this.#isUsable(at)
    return {
      issuer: this.#issuer.id,
      state: !usable ? 'none' : ageMs < this.#lifetimeMs ? 'current' : 'stale',
      keys: usable ? this.#held.size : 0,
      ageMs,
      failures: this.#failures,
      failing: this.#failing,
    }
  }

  #isUsable(at: Instant): boolean {
    return this.#askedAt !== null && this.#age(this.#askedAt, at) < this.#lifetimeMs + graceMs
  }

  /** By the larger of both clocks: one stands still while a machine sleeps, the other can be set. */
  #age(from: Instant, to: Instant): number {
    return Math.max(to.monotonic - from.monotonic, to.now - from.now)
  }

  /** While the issuer fails only the timer asks. */
  #mayAsk(at: Instant): boolean {
    return !this.#stopped && this.#failing === null && at.monotonic - this.#triedAt >= unknownEveryMs
  }

  #fetch(): Promise<void> {
    this.#timer?.stop()
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null
    })
    return this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    const { clock, outbound } = this.#parts
    const { jwksUri, allowedPrivate } = this.#issuer
    const asked = { now: clock.now(), monotonic: clock.monotonic() }
    this.#triedAt = asked.monotonic
    const answer = await outbound.send({
      method: 'GET',
      url: jwksUri,
      headers: ['Accept', 'application/jwk-set+json, application/json'],
      body: null,
      allowedPrivate,
      timeoutMs,
      bodyBytesMax,
    })
    if (this.#stopped) return
    const set = this.#read(answer)
    if (!set.ok) return this.#failed(set.error)
    this.#set = set.value
    this.#held = new Set([...set.value.values()].flat())
    this.#askedAt = asked
    this.#lifetimeMs = answer.kind === 'answered' ? lifetimeMs(answer.header('cache-control'), answer.header('age')) : 0
    this.#succeeded()
  }

  #read(answer: OutboundAnswer): Result<KeySet, string> {
    if (answer.kind === 'failed') return fail(answer.reason)
    if (answer.status !== 200) return fail(`answered ${answer.status}`)
    if (answer.cut) return fail('too large')
    return readKeySet(answer.body, this.#issuer.algorithms, this.#set)
  }

  #succeeded(): void {
    if (this.#failing !== null)
      this.#parts.tell('issuer.keys_fetched', { issuer: this.#issuer.id, keys: this.#held.size })
    this.#failing = null
    this.#failuresInRow = 0
    this.#again(this.#lifetimeMs * (0.75 + 0.15 * this.#chance()))
  }

  #failed(reason: string): void {
    if (this.#failing === null) this.#parts.tell('issuer.keys_failing', { issuer: this.#issuer.id, reason })
    this.#failing = reason
    this.#failures++
    const longest = Math.min(backOff.maxMs, backOff.firstMs * 2 ** this.#failuresInRow++)
    this.#again(longest * (0.5 + 0.5 * this.#chance()))
  }

  #again(delayMs: number): void {
    const { clock } = this.#parts
    this.#nextAt = clock.monotonic() + delayMs
    this.#timer = clock.after(delayMs, () => void this.#fetch())
  }

  /** From 0 to 1. */
  #chance(): number {
    const [high = 0, low = 0] = this.#parts.random.bytes(2)
    return (high * 256 + low) / 65_535
  }
}
