import type { Declaration, Plan, Route } from '../apis/api.ts'
import type { FailureBudget } from '../limits/failure-budget.ts'
import type { Limiter } from '../limits/limiter.ts'
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
import {
  type Asked,
  type Freshness,
  type Known,
  Resolver,
  type TokenParts,
  type Wait,
  type Waiting,
} from './resolve.ts'
import { RightsCache } from './rights.ts'
import { shown, Trail } from './trail.ts'

/** A request that was matched and whose credential was read, before anything is known of it. */
interface Stages {
  readonly facts: RequestFacts
  readonly trail: Trail
  readonly matched: Match
  readonly presented: Presented | null
  /** What stands beside it where the preset says which of two decides. */
  readonly beside: Presented | null
  readonly refusal: Refusal | null
  readonly origin: string | null
  readonly preflight: boolean
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
  readonly #resolver: Resolver
  readonly #rights = new RightsCache()
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
    readonly tokens: TokenParts
  }) {
    this.#declaration = parts.declaration
    this.#table = parts.table
    this.#limiter = parts.limiter
    this.#failures = parts.failures
    this.#freshness = parts.freshness
    this.#resolver = new Resolver(parts)
  }

  evaluate(facts: RequestFacts, whole: boolean): Evaluation | Promise<Evaluation> {
    const stages = this.#read(facts, whole)
    const asked = this.#asked(stages)
    if (asked === null) return this.#conclude(stages, null)
    const known = this.#lookUp(asked)
    const waiting = this.#resolver.wait(asked, known, nothingYet)
    return waiting === null ? this.#conclude(stages, known) : this.#resolved(facts, whole, waiting, nothingYet)
  }

  /** Resolving is the only stage that may wait: for one thing after the other, for each of them once. */
  async #resolved(
    facts: RequestFacts,
    whole: boolean,
    waiting: Waiting,
    before: ReadonlySet<Wait>,
  ): Promise<Evaluation> {
    const answered = await waiting.promise
    // What is declared may have been reloaded meanwhile.
    const stages = this.#read(facts, whole)
    const asked = this.#asked(stages)
    if (asked === null) return this.#conclude(stages, null)
    const known = this.#lookUp(asked, answered)
    const waited = new Set([...before, waiting.what])
    const next = answered ? this.#resolver.wait(asked, known, waited) : null
    return next === null ? this.#conclude(stages, known) : await this.#resolved(facts, whole, next, waited)
  }

  /** The last stage alone, on what memory holds, for a request that was matched and whose credential was read. */
  evaluateMatched(facts: RequestFacts, matched: Match, presented: Presented, whole: boolean): Evaluation {
    const origin = originOf(facts)
    const stages: Stages = {
      facts,
      trail: new Trail(whole),
      matched,
      presented,
      beside: null,
      refusal: null,
      origin,
      preflight: false,
    }
    const asked = this.#asked(stages)
    return this.#decide(stages, asked === null ? null : this.#lookUp(asked))
  }

  /**
   * After an await: the same evaluation where nothing of what it stands on has changed, otherwise a new one. In
   * memory only, so that charging and dispatching can follow in the same synchronous turn.
   */
  settle(evaluation: Evaluation, facts: RequestFacts): Evaluation {
    const { principal } = evaluation
    if (principal === null || this.#isUnchanged(principal)) return evaluation
    const stages = this.#read(facts, evaluation.trace !== null)
    const asked = this.#asked(stages)
    if (asked === null) return this.#conclude(stages, null)
    const known = this.#lookUp(asked)
    // A token that left memory meanwhile is not unknown: it is to be read again.
    const forgotten = principal.bearer !== null && known.row === -1
    return this.#conclude(stages, forgotten ? { ...known, answered: false } : known)
  }

  #isUnchanged({ row, generation, holder, holderGeneration, bearer }: Principal): boolean {
    const table = this.#table
    const same = table.generation(row) === generation && table.generation(holder) === holderGeneration
    return same && (bearer === null || !(bearer.revoked || bearer.forgotten))
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
        return { facts, trail, matched, presented: null, beside: null, refusal: null, origin, preflight: true }
      }
      return this.#readRequest(facts, new Trail(whole), origin)
    }
    return this.#readRequest(facts, trail, origin)
  }

  #readRequest(facts: RequestFacts, trail: Trail, origin: string | null): Stages {
    const matched = match(facts, this.#declaration(), trail)
    const { presented, beside, refusal } =
      matched.refusal !== null || matched.api === null || isLocal(matched)
        ? { presented: null, beside: null, refusal: matched.refusal }
        : extract(facts, matched.api, matched.query, trail)
    return { facts, trail, matched, presented, beside, refusal, origin, preflight: false }
  }

  // ---- resolve -----------------------------------------------------------------------------------------

  /** Null where no credential is to be looked up. */
  #asked(stages: Stages): Asked | null {
    const { presented, beside, matched, facts } = stages
    if (stages.refusal !== null || presented === null || matched.api === null) return null
    return { api: matched.api, presented, beside, at: facts, spent: () => this.#failureWait(stages) > 0 }
  }

  #lookUp(asked: Asked, answered = true): Known {
    return this.#resolver.lookUp(asked, this.#brands(this.#declaration()), answered)
  }

  /** The brand and the former ones, as one list while the declaration is in force. */
  #brands(declaration: Declaration): readonly string[] {
    if (declaration !== this.#brandsOf) {
      this.#brandsOf = declaration
      this.#brandList = [declaration.brand, ...declaration.formerBrands]
    }
    return this.#brandList
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
    // Whoever serves it goes on from here; to everybody else it is an answer.
    if (isLocal(matched)) return this.#refused(stages, refuse('served_by_postern'))
    if (stages.preflight) return this.#preflight(stages)
    if (presented === null || known === null) return this.#refused(stages, refuse('credential_missing'))

    const failureWaitMs = this.#trusted(stages, known) ? 0 : this.#failureWait(stages)
    if (failureWaitMs > 0) {
      trail.add('known', false, 'failed attempts of the peer', 'too_many_failures')
      return this.#refused(stages, refuse('too_many_failures', { retryAfterMs: failureWaitMs }))
    }
    const unresolved = this.#unresolved(stages, known, route)
    if (unresolved !== null) return this.#refused(stages, unresolved)

    const candidate = this.#candidate(stages, presented, known)
    const refusal = decide(candidate, trail)
    const principal = this.#principal(candidate)
    if (refusal !== null) return this.#refused(stages, refusal, principal)
    this.#table.touch(candidate.row)
    if (candidate.holder !== candidate.row) this.#table.touch(candidate.holder)
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

  /** Why nothing can be decided about it: its shape, the state of our own knowledge, or that nobody knows it. */
  #unresolved({ facts, trail, presented }: Stages, known: Known, route: Route): Refusal | null {
    const { shape, row, answered, verdict } = known
    const secret = presented?.secret ?? ''
    const broken = verdict?.kind === 'refused' && verdict.code === 'credential_malformed' ? verdict.reason : null
    if (
      !trail.add('shape', shape !== 'malformed' && broken === null, broken ?? shapes[shape], 'credential_malformed')
    ) {
      return refuse('credential_malformed', { hint: broken === null ? malformedHint : null })
    }
    const fresh = this.#freshness.isFresh(facts.now, facts.monotonic)
    const waits = verdict?.kind === 'unavailable' || verdict?.kind === 'pending'
    const served = answered && !waits && (fresh || (route.onStale === 'serve' && row !== -1))
    const compared = waits
      ? 'the keys of the issuer cannot be had'
      : fresh
        ? 'records are current'
        : 'records are older than stale_after'
    if (!trail.add('fresh', served, compared, 'decision_unavailable')) {
      const retryAfterMs = verdict?.kind === 'unavailable' ? verdict.retryAfterMs : 1000
      return refuse('decision_unavailable', { retryAfterMs })
    }
    const reason = verdict?.kind === 'refused' ? verdict.reason : 'no record'
    if (!trail.add('known', row !== -1, row === -1 ? reason : 'record found', 'credential_unknown')) {
      return refuse('credential_unknown', { hint: tokenHint(shape) ?? placeholderHint(secret) })
    }
    return null
  }

  #candidate(stages: Stages, presented: Presented, known: Known): Candidate {
    const { matched, facts } = stages
    const { api, route } = matched
    if (api === null || route === null) throw new Error('a candidate needs its API and route')
    const { row, holder } = known
    const own = this.#table.own(row)
    const plan = this.#planOf(row)
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
      form: known.form,
      row,
      holder,
      secretRow: known.secretRow,
      own,
      holderOwn: holder === row ? own : this.#table.own(holder),
      plan,
      holderPlan: holder === row ? plan : this.#planOf(holder),
      token: known.token,
      grant: known.grant,
      beside: known.beside,
      table: this.#table,
      limiter: this.#limiter,
      rights: this.#rights,
      held: null,
      charge: null,
    }
  }

  #planOf(row: number): Plan | null {
    const planId = this.#table.account(row).record?.plan
    return planId === undefined ? null : (this.#declaration().plans.get(planId) ?? null)
  }

  /** One of our own that lives, in memory: it passes even where its peer's budget of failures is spent. */
  #trusted(stages: Stages, { secretRow, token, grant, holder }: Known): boolean {
    const { now } = stages.facts
    if (holder === -1) return false
    const lives = this.#table.state(holder, now) === 'active' && !(now >= this.#table.expiresAt(holder))
    if (token !== null) return lives && !token.revoked && now < token.expiresAt && (grant?.active ?? true)
    return lives && !this.#table.isImported(secretRow) && !(now >= this.#table.notAfter(secretRow))
  }

  #principal(candidate: Candidate): Principal {
    const { table, row, secretRow, token } = candidate
    const { scopes } = rightsOfCandidate(candidate)
    const place = secretRow % principalsMax
    const known = token === null ? this.#principals[place] : token.principal
    if (
      known?.secretRow === secretRow &&
      known.row === row &&
      known.generation === table.generation(row) &&
      known.account === (table.account(row).record?.id ?? '') &&
      known.project === (table.project(row).record?.id ?? '') &&
      known.environment === (table.environment(row) ?? 'live') &&
      known.region === table.region(row) &&
      known.scopes === scopes &&
      (token === null || (known.holderGeneration === table.generation(candidate.holder) && known.bearer === token))
    ) {
      return known
    }
    const made = principalOf(candidate, scopes)
    if (token === null) this.#principals[place] = made
    else token.principal = made
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
      exposed: refusal.code === 'insecure_transport' && !isLocal(matched) ? this.#exposed(stages) : null,
    })
  }

  /** A real credential that came over plain HTTP, so that it can be marked. The answer is the same for all. */
  #exposed(stages: Stages): Principal | null {
    const { matched, facts } = stages
    if (matched.api === null) return null
    const { presented, refusal } = extract(facts, matched.api, matched.query, new Trail(false))
    if (presented === null || refusal !== null) return null
    const found = this.#lookUp({ api: matched.api, presented, beside: null, at: facts, spent: () => true })
    if (found.row === -1) return null
    return this.#principal(
      this.#candidate({ ...stages, matched: { ...matched, route: matched.api.unmatchedRoute } }, presented, found),
    )
  }
}

function isLocal({ route }: Match): boolean {
  return route !== null && route.local !== null
}

const nothingYet: ReadonlySet<Wait> = new Set()

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

function principalOf(candidate: Candidate, scopes: readonly string[]): Principal {
  const { table, row, holder, secretRow, holderOwn, token, grant } = candidate
  const credential = table.credentialId(holder)
  return {
    row,
    generation: table.generation(row),
    holder,
    holderGeneration: table.generation(holder),
    secretRow,
    bearer: token,
    credential,
    secret: secretRow === -1 ? null : table.secretId(secretRow),
    publicId: holderOwn === undefined ? credential.slice('cred_'.length) : holderOwn.publicId,
    kind: table.kind(holder),
    account: table.account(row).record?.id ?? '',
    project: table.project(row).record?.id ?? '',
    environment: table.environment(row) ?? 'live',
    region: table.region(row),
    scopes,
    token: token?.id ?? null,
    grant: grant?.id ?? null,
    subject: grant?.user ?? token?.subject ?? null,
    label: token?.label ?? null,
  }
}

const shapes: Readonly<Record<Known['shape'], string>> = {
  key: 'our format, checksum right',
  client_secret: 'the form of a client secret, checksum right',
  access: 'the form of a token, checksum right',
  refresh: 'the form of a refresh token',
  code: 'the form of an authorization code',
  jwt: 'the form of a JWT',
  foreign: 'foreign format',
  malformed: 'our prefix, checksum wrong',
}

const malformedHint = 'Its prefix is ours, but its length or checksum is not: it may be cut off or mistyped.'

/** What stands in the text itself, whoever sends it and whether or not it is known. */
function tokenHint(shape: Known['shape']): string | null {
  switch (shape) {
    case 'refresh':
      return 'It is a refresh token: the token endpoint takes it, and gives an access token for it.'
    case 'code':
      return 'It is an authorization code: the token endpoint takes it, and gives an access token for it.'
    case 'client_secret':
      return 'It is the secret of an OAuth client: the token endpoint takes it, and gives an access token for it.'
    case 'key':
    case 'access':
    case 'jwt':
    case 'foreign':
    case 'malformed':
      return null
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
