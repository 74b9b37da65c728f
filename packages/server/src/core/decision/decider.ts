import type { Declaration } from '../apis/api.ts'
import { classifyKey, type ShapeClass } from '../credentials/format.ts'
import type { FailureBudget } from '../limits/failure-budget.ts'
import type { Limiter } from '../limits/limiter.ts'
import { digestWords } from '../records/digest-words.ts'
import type { Principal } from '../records/principal.ts'
import type { RecordTable } from '../records/table.ts'
import type { Candidate } from './candidate.ts'
import { rightsOfCandidate } from './checks.ts'
import { decide } from './decide.ts'
import type { Evaluation, Presented, Refusal, Standing } from './evaluation.ts'
import { extract } from './extract.ts'
import type { RequestFacts } from './facts.ts'
import { headerValue } from './headers.ts'
import { match, type Match } from './match.ts'
import { refuse } from './refuse.ts'
import { RightsCache } from './rights.ts'
import { shown, Trail } from './trail.ts'

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

/** A request that was matched and whose credential was read, before anything is known of it. */
interface Stages {
  readonly facts: RequestFacts
  readonly trail: Trail
  readonly matched: Match
  readonly presented: Presented | null
  readonly refusal: Refusal | null
  readonly origin: string | null
  readonly preflight: boolean
}

/** What is known of a presented secret. */
interface Known {
  readonly shape: ShapeClass
  /** -1 where memory holds no such secret. */
  readonly secretRow: number
  /** False: the store had to be asked and did not answer. */
  readonly answered: boolean
}

const principalsMax = 4096

/**
 * The one decision: match → extract → resolve → decide. Gateway, `verify` and `explain` call `evaluate`; whoever
 * acts on the answer calls `charge` in the same synchronous turn.
 */
export class Decider {
  readonly #declaration: () => Declaration
  readonly #table: RecordTable
  readonly #limiter: Limiter
  readonly #failures: FailureBudget
  readonly #freshness: Freshness
  readonly #rights = new RightsCache()
  readonly #words = new Int32Array(8)
  /** Those of lately decided requests: whoever comes again is mostly the same in every field. */
  readonly #principals = Array.from({ length: principalsMax }, (): Principal | null => null)
  #brandsOf: Declaration | null = null
  #brandList: readonly string[] = []

  constructor(parts: {
    readonly declaration: () => Declaration
    readonly table: RecordTable
    readonly limiter: Limiter
    readonly failures: FailureBudget
    readonly freshness: Freshness
  }) {
    this.#declaration = parts.declaration
    this.#table = parts.table
    this.#limiter = parts.limiter
    this.#failures = parts.failures
    this.#freshness = parts.freshness
  }

  evaluate(facts: RequestFacts, whole: boolean): Evaluation | Promise<Evaluation> {
    const stages = this.#read(facts, whole)
    const known = this.#lookUp(stages)
    const waiting = known === null ? null : this.#resolve(stages, known)
    if (waiting === null) return this.#conclude(stages, known)
    return waiting.then((answered) => {
      // What is declared may have been reloaded meanwhile.
      const again = this.#read(facts, whole)
      return this.#conclude(again, this.#lookUp(again, answered))
    })
  }

  /** The last stage alone, on what memory holds, for a request that was matched and whose credential was read. */
  evaluateMatched(facts: RequestFacts, matched: Match, presented: Presented, whole: boolean): Evaluation {
    const origin = originOf(facts)
    const stages: Stages = {
      facts,
      trail: new Trail(whole),
      matched,
      presented,
      refusal: null,
      origin,
      preflight: false,
    }
    return this.#decide(stages, this.#lookUp(stages))
  }

  /**
   * After an await: the same evaluation where its record is still of the same generation, otherwise a new one. In
   * memory only, so that charging and dispatching can follow in the same synchronous turn.
   */
  settle(evaluation: Evaluation, facts: RequestFacts): Evaluation {
    const { principal } = evaluation
    const unchanged = principal === null || this.#table.generation(principal.row) === principal.generation
    if (unchanged) return evaluation
    const stages = this.#read(facts, evaluation.trace !== null)
    return this.#conclude(stages, this.#lookUp(stages))
  }

  /** Takes the charge of an allowed request, or the failed attempt of its peer; answers the tightest limit. */
  charge(evaluation: Evaluation, facts: RequestFacts): Standing {
    if (evaluation.charge !== null) return this.#limiter.charge(evaluation.charge)
    const code = evaluation.refusal?.code
    if (code === 'credential_malformed' || code === 'credential_unknown') {
      this.#failures.charge(evaluation.clientIp, facts.monotonic, this.#declaration().failures)
    }
    return evaluation.refusal?.limit ?? null
  }

  // ---- match, extract ----------------------------------------------------------------------------------

  #read(facts: RequestFacts, whole: boolean): Stages {
    const trail = new Trail(whole)
    const origin = originOf(facts)
    const asked =
      facts.method === 'OPTIONS' && origin !== null ? headerValue(facts.headers, 'access-control-request-method') : null
    if (asked !== null) {
      const matched = match({ ...facts, method: asked }, this.#declaration(), trail)
      if (matched.refusal === null && matched.route?.clientSide === true) {
        return { facts, trail, matched, presented: null, refusal: null, origin, preflight: true }
      }
      return this.#readRequest(facts, new Trail(whole), origin)
    }
    return this.#readRequest(facts, trail, origin)
  }

  #readRequest(facts: RequestFacts, trail: Trail, origin: string | null): Stages {
    const matched = match(facts, this.#declaration(), trail)
    const { presented, refusal } =
      matched.refusal !== null || matched.api === null
        ? { presented: null, refusal: matched.refusal }
        : extract(facts, matched.api, matched.query, trail)
    return { facts, trail, matched, presented, refusal, origin, preflight: false }
  }

  // ---- resolve: the only stage that may wait -----------------------------------------------------------

  /** In memory only; null where no credential is to be looked up. The digest stays in `#words`. */
  #lookUp(stages: Stages, answered = true): Known | null {
    const { presented } = stages
    if (stages.refusal !== null || presented === null) return null
    const shape = this.#shape(stages.facts, presented)
    return { shape, secretRow: shape === 'malformed' ? -1 : this.#find(stages, presented), answered }
  }

  #resolve(stages: Stages, known: Known): Promise<boolean> | null {
    if (known.shape === 'malformed' || known.secretRow !== -1 || this.#failureWait(stages) > 0) return null
    return this.#freshness.catchUp(this.#words, stages.facts.monotonic)
  }

  #shape({ seen }: RequestFacts, { secret }: Presented): ShapeClass {
    const brands = this.#brands(this.#declaration())
    return seen === undefined ? classifyKey(secret, brands) : seen.shape(secret, brands)
  }

  /** The brand and the former ones, as one list while the declaration is in force. */
  #brands(declaration: Declaration): readonly string[] {
    if (declaration !== this.#brandsOf) {
      this.#brandsOf = declaration
      this.#brandList = [declaration.brand, ...declaration.formerBrands]
    }
    return this.#brandList
  }

  /** Row of the secret; -1 too where the id half does not own it: a foreign pair is as unknown as a wrong secret. */
  #find(stages: Stages, presented: Presented): number {
    const { seen } = stages.facts
    if (seen === undefined) digestWords(presented.secret, this.#words)
    else seen.digest(presented.secret, this.#words)
    const secretRow = this.#table.findSecret(this.#words)
    if (secretRow === -1) return -1
    const row = this.#table.owner(secretRow)
    if (presented.publicId === null) return stages.matched.api?.preset.form === 'pair' ? -1 : secretRow
    return this.#table.ownsPublicId(row, presented.publicId) ? secretRow : -1
  }

  #failureWait(stages: Stages): number {
    return this.#failures.waitMs(stages.matched.client.ip, stages.facts.monotonic, this.#declaration().failures)
  }

  // ---- decide ------------------------------------------------------------------------------------------

  /** Runs the rest in one turn. A refusal is run once more with the whole trace: it is pure, so nothing changes. */
  #conclude(stages: Stages, known: Known | null): Evaluation {
    const evaluation = this.#decide(stages, known)
    if (evaluation.refusal === null || evaluation.trace !== null) return evaluation
    return this.#decide(this.#read(stages.facts, true), known)
  }

  #decide(stages: Stages, known: Known | null): Evaluation {
    const { matched, trail, presented } = stages
    const { api, route } = matched
    if (stages.refusal !== null || api === null || route === null)
      return this.#refused(stages, stages.refusal ?? refuse('api_unknown'))
    if (stages.preflight) return this.#preflight(stages)
    if (presented === null || known === null) return this.#refused(stages, refuse('credential_missing'))

    const { shape, secretRow, answered } = known
    const failureWaitMs = this.#trusted(stages, secretRow) ? 0 : this.#failureWait(stages)
    if (failureWaitMs > 0) {
      trail.add('known', false, 'failed attempts of the peer', 'too_many_failures')
      return this.#refused(stages, refuse('too_many_failures', { retryAfterMs: failureWaitMs }))
    }
    if (
      !trail.add(
        'shape',
        shape !== 'malformed',
        shape === 'ours' ? 'our format, checksum right' : 'foreign format',
        'credential_malformed',
      )
    ) {
      return this.#refused(
        stages,
        refuse('credential_malformed', {
          hint: 'Its prefix is ours, but its length or checksum is not: it may be cut off or mistyped.',
        }),
      )
    }
    const fresh = this.#freshness.isFresh(stages.facts.now, stages.facts.monotonic)
    const served = answered && (fresh || (route.onStale === 'serve' && secretRow !== -1))
    if (
      !trail.add(
        'fresh',
        served,
        fresh ? 'records are current' : 'records are older than stale_after',
        'decision_unavailable',
      )
    ) {
      return this.#refused(stages, refuse('decision_unavailable', { retryAfterMs: 1000 }))
    }
    if (!trail.add('known', secretRow !== -1, secretRow === -1 ? 'no record' : 'record found', 'credential_unknown')) {
      return this.#refused(stages, refuse('credential_unknown', { hint: placeholderHint(presented.secret) }))
    }

    const candidate = this.#candidate(stages, presented, secretRow)
    const refusal = decide(candidate, trail)
    const principal = this.#principal(candidate)
    if (refusal !== null) return this.#refused(stages, refusal, principal)
    this.#table.touch(candidate.row)
    return concluded(stages, {
      allowed: true,
      refusal: null,
      environment: principal.environment,
      principal,
      charge: candidate.charge,
      corsOrigin: route.clientSide ? stages.origin : null,
      exposed: null,
    })
  }

  #candidate(stages: Stages, presented: Presented, secretRow: number): Candidate {
    const { matched, facts } = stages
    const { api, route } = matched
    if (api === null || route === null) throw new Error('a candidate needs its API and route')
    const row = this.#table.owner(secretRow)
    const planId = this.#table.account(row).record?.plan
    return {
      facts,
      api,
      route,
      unmatched: matched.unmatched,
      prefixLength: matched.prefixLength,
      query: matched.query,
      environment: matched.environment,
      region: matched.region,
      ip: matched.client.ip,
      presented,
      origin: stages.origin,
      row,
      secretRow,
      own: this.#table.own(row),
      plan: planId === undefined ? null : (this.#declaration().plans.get(planId) ?? null),
      table: this.#table,
      limiter: this.#limiter,
      rights: this.#rights,
      held: null,
      charge: null,
    }
  }

  /** One of our own live secrets in memory: it passes even where its peer's budget of failures is spent. */
  #trusted(stages: Stages, secretRow: number): boolean {
    if (secretRow === -1 || this.#table.isImported(secretRow)) return false
    const row = this.#table.owner(secretRow)
    const { now } = stages.facts
    return (
      this.#table.state(row, now) === 'active' &&
      !(now >= this.#table.expiresAt(row)) &&
      !(now >= this.#table.notAfter(secretRow))
    )
  }

  #principal(candidate: Candidate): Principal {
    const { table, row, secretRow, own } = candidate
    const generation = table.generation(row)
    const account = table.account(row).record?.id ?? ''
    const project = table.project(row).record?.id ?? ''
    const environment = table.environment(row) ?? 'live'
    const region = table.region(row)
    const { scopes } = rightsOfCandidate(candidate)
    const place = secretRow % principalsMax
    const known = this.#principals[place]
    if (
      known?.secretRow === secretRow &&
      known.row === row &&
      known.generation === generation &&
      known.account === account &&
      known.project === project &&
      known.environment === environment &&
      known.region === region &&
      known.scopes === scopes
    ) {
      return known
    }
    const credential = table.credentialId(row)
    const made: Principal = {
      row,
      secretRow,
      generation,
      credential,
      secret: table.secretId(secretRow),
      publicId: own === undefined ? credential.slice('cred_'.length) : own.publicId,
      kind: table.kind(row),
      account,
      project,
      environment,
      region,
      scopes,
    }
    this.#principals[place] = made
    return made
  }

  #preflight(stages: Stages): Evaluation {
    const { matched, origin, facts, trail } = stages
    const listed =
      origin !== null && matched.api !== null && this.#table.originListed(matched.api.id, origin, facts.now)
    const compared = () => `origin ${shown(origin)}, ${listed ? 'listed' : 'listed by no live publishable credential'}`
    if (!trail.add('origin', listed, compared, 'origin_not_allowed'))
      return this.#refused(stages, refuse('origin_not_allowed'))
    return concluded(stages, { ...nothing(stages), corsOrigin: stages.origin })
  }

  #refused(stages: Stages, refusal: Refusal, principal: Principal | null = null): Evaluation {
    const { matched, origin } = stages
    const listed =
      origin !== null &&
      matched.api !== null &&
      matched.route?.clientSide === true &&
      this.#table.originListed(matched.api.id, origin, stages.facts.now)
    return concluded(stages, {
      ...nothing(stages),
      refusal,
      principal,
      corsOrigin: listed ? origin : null,
      exposed: refusal.code === 'insecure_transport' ? this.#exposed(stages) : null,
    })
  }

  /** A real credential that came over plain HTTP, so that it can be marked. The answer is the same for all. */
  #exposed(stages: Stages): Principal | null {
    const { matched, facts } = stages
    if (matched.api === null) return null
    const { presented, refusal } = extract(facts, matched.api, matched.query, new Trail(false))
    if (presented === null || refusal !== null) return null
    const secretRow = this.#find(stages, presented)
    if (secretRow === -1) return null
    return this.#principal(
      this.#candidate({ ...stages, matched: { ...matched, route: matched.api.unmatchedRoute } }, presented, secretRow),
    )
  }
}

/** What the last stage adds to what the first ones found. */
type Outcome = Pick<
  Evaluation,
  'allowed' | 'refusal' | 'environment' | 'principal' | 'charge' | 'corsOrigin' | 'exposed'
>

function nothing({ matched }: Stages): Outcome {
  const { environment } = matched
  return { allowed: false, refusal: null, environment, principal: null, charge: null, corsOrigin: null, exposed: null }
}

/** Field by field, in one literal: this is the hot path, and every evaluation has the same hidden class. */
function concluded({ matched, presented, preflight, trail }: Stages, outcome: Outcome): Evaluation {
  return {
    allowed: outcome.allowed,
    refusal: outcome.refusal,
    api: matched.api,
    route: matched.route,
    prefixLength: matched.prefixLength,
    query: matched.query,
    environment: outcome.environment,
    clientIp: matched.client.ip,
    secure: matched.client.secure,
    presented,
    principal: outcome.principal,
    charge: outcome.charge,
    corsOrigin: outcome.corsOrigin,
    preflight,
    checks: trail.checks,
    trace: trail.trace,
    exposed: outcome.exposed,
  }
}

/** What is not plain text without spaces is no origin (RFC 6454, section 6.1), and is never said back. */
function originOf(facts: RequestFacts): string | null {
  const sent = headerValue(facts.headers, 'origin')
  return sent !== null && /^[!-~]+$/.test(sent) ? sent : null
}

/** What people paste instead of a credential. Tells nothing about which credentials exist. */
function placeholderHint(secret: string): string | null {
  if (/^\$\{?[A-Za-z_]+\}?$/.test(secret)) return 'It looks like a variable that the shell did not fill in.'
  if (/^["'].*["']$/.test(secret)) return 'It is in quotes.'
  return /^(your|my)[-_]?(api)?[-_]?(key|token)$/i.test(secret) || /^<.*>$/.test(secret)
    ? 'It looks like a placeholder.'
    : null
}
