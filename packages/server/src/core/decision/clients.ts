import { fail, ok, type Result } from '../../base/result.ts'
import type { Api } from '../apis/api.ts'
import { classifyKey, isPresentable } from '../credentials/format.ts'
import type { OAuthClient } from '../credentials/oauth-client.ts'
import type { FailureBudget } from '../limits/failure-budget.ts'
import { digestWords } from '../records/digest-words.ts'
import type { Principal } from '../records/principal.ts'
import type { Candidate } from './candidate.ts'
import { actingChecks, type Check, authenticationChecks, mintingChecks, namingChecks } from './checks.ts'
import { apiOf, type At, type CandidateParts, clientCandidate, ownToken, planOf, run } from './client-candidate.ts'
import type { Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import type { Rights } from './held-rights.ts'
import { refuse } from './refuse.ts'
import type { Freshness } from './resolve.ts'
import { RightsCache } from './rights.ts'
import { shown, type Trail } from './trail.ts'

/** A client, as it was when it was found: whoever goes on after an await asks again what it may do. */
export interface Client {
  /** `cred_…`; no user is called so. */
  readonly credential: string
  readonly clientId: string
  readonly account: string
  readonly project: string
  /** Those that it has, whatever its plan says of them. */
  readonly apis: ReadonlySet<string>
  /** Null: a key or pair that mints tokens for itself. */
  readonly oauth: OAuthClient | null
  readonly principal: Principal
}

export interface PresentedClient {
  readonly clientId: string
  /** Null: it only names itself. */
  readonly secret: string | null
}

/** Why somebody is not taken for a client; with its name where that was proven. */
export interface ClientRefusal {
  readonly refusal: Refusal
  readonly principal: Principal | null
}

interface Found {
  readonly row: number
  /** -1: it has none. */
  readonly secretRow: number
}

/**
 * The clients of the endpoints for tokens: found by the records and judged by the checks and the failure budget that
 * keys are. An unknown client and a wrong secret are looked up alike, and told alike.
 */
export class Clients {
  readonly #parts: ClientsParts
  readonly #rights = new RightsCache()
  readonly #words = new Int32Array(8)

  constructor(parts: ClientsParts) {
    this.#parts = parts
  }

  /** Who proves itself by this id and secret; without a secret, the public client of this id. */
  authenticate(
    facts: RequestFacts,
    at: At,
    presented: PresentedClient,
    trail: Trail,
  ): Result<Client, ClientRefusal> | Promise<Result<Client, ClientRefusal>> {
    if (!trail.add('shape', this.#isWellFormed(presented), 'client id and secret', 'credential_malformed'))
      return this.#failed(facts, at, refuse('credential_malformed'))
    const found = this.#find(presented)
    const waiting = found === null && this.#waitMs(facts, at) === 0 ? this.#catchUp(presented, facts) : null
    if (waiting === null) return this.#conclude(facts, at, presented, found, true, trail)
    return waiting.then((answered) => {
      const again = this.#find(presented)
      return this.#conclude(facts, at, presented, again, answered, trail)
    })
  }

  /** The client that a browser brings by its id alone: nothing is proven, and nothing charged. Null: there is none. */
  async named(facts: RequestFacts, at: At, clientId: string, trail: Trail): Promise<Result<Client, Refusal> | null> {
    const { table } = this.#parts
    const presented = { clientId, secret: null }
    if (!isPresentable(clientId)) return null
    const answered = table.findClient(clientId) !== -1 || ((await this.#catchUp(presented, facts)) ?? true)
    if (!trail.add('fresh', answered, 'records of clients', 'decision_unavailable'))
      return fail(refuse('decision_unavailable', { retryAfterMs: 1000 }))
    const row = table.findClient(clientId)
    if (row === -1) return null
    const candidate = this.#candidate(facts, at, apiOf(at), { row, secretRow: -1 })
    const refusal = run(namingChecks, candidate, trail)
    return refusal === null ? ok(this.#client(candidate)) : fail(refusal)
  }

  /** Whether it may have a token for this API at this moment. */
  mayMint(facts: RequestFacts, at: At, { credential }: Client, api: Api, trail: Trail): Refusal | null {
    return this.#runNow(mintingChecks, facts, at, credential, api, trail)
  }

  /** Whether it may be given what somebody has allowed it on the API. */
  mayAct(facts: RequestFacts, at: At, { credential }: Client, api: Api, trail: Trail): Refusal | null {
    return this.#runNow(actingChecks, facts, at, credential, api, trail)
  }

  /** What it may do on the API at this moment. */
  rights({ credential }: Pick<Client, 'credential'>, api: Api): Rights {
    const { table } = this.#parts
    const row = table.findCredential(credential)
    const plan = row === -1 ? null : planOf(this.#parts, row)
    return plan === null ? noRights : this.#rights.of(table.profile(row), plan, api)
  }

  /** Whose secret it is that came over plain HTTP; null: nobody's. */
  exposed(facts: RequestFacts, at: At, presented: PresentedClient): Principal | null {
    const found = presented.secret !== null && this.#isWellFormed(presented) ? this.#find(presented) : null
    return found === null ? null : this.#client(this.#candidate(facts, at, apiOf(at), found)).principal
  }

  /** For what nobody was ever given: guessing has its price. */
  chargeFailure(facts: RequestFacts, { clientIp }: At): void {
    this.#parts.failures.charge(clientIp, facts.monotonic, this.#parts.declaration().failures)
  }

  #runNow(
    checks: readonly Check[],
    facts: RequestFacts,
    at: At,
    credential: string,
    api: Api,
    trail: Trail,
  ): Refusal | null {
    const row = this.#parts.table.findCredential(credential)
    // It left memory while something was waited for; nothing can be said of it now.
    if (row === -1) return refuse('decision_unavailable', { retryAfterMs: 1000 })
    return run(checks, this.#candidate(facts, at, api, { row, secretRow: -1 }), trail)
  }

  #isWellFormed({ clientId, secret }: PresentedClient): boolean {
    if (!isPresentable(clientId)) return false
    if (secret === null) return true
    const { brand, formerBrands } = this.#parts.declaration()
    return isPresentable(secret) && classifyKey(secret, [brand, ...formerBrands]) !== 'malformed'
  }

  /** By the whole digest, and then by the id: one look-up, whichever of them is wrong. */
  #find({ clientId, secret }: PresentedClient): Found | null {
    const { table } = this.#parts
    if (secret === null) {
      const row = table.findClient(clientId)
      return row === -1 ? null : { row, secretRow: -1 }
    }
    digestWords(secret, this.#words)
    const secretRow = table.findSecret(this.#words)
    if (secretRow === -1) return null
    const row = table.owner(secretRow)
    return table.ownsPublicId(row, clientId) ? { row, secretRow } : null
  }

  #catchUp({ clientId, secret }: PresentedClient, facts: RequestFacts): Promise<boolean> | null {
    digestWords(secret ?? clientId, this.#words)
    return this.#parts.freshness.catchUp(this.#words, facts.monotonic)
  }

  #conclude(
    facts: RequestFacts,
    at: At,
    presented: PresentedClient,
    found: Found | null,
    answered: boolean,
    trail: Trail,
  ): Result<Client, ClientRefusal> {
    const waitMs = found !== null && this.#isTrusted(found, facts) ? 0 : this.#waitMs(facts, at)
    if (waitMs > 0) {
      trail.add('known', false, 'failed attempts of the peer', 'too_many_failures')
      return refused(refuse('too_many_failures', { retryAfterMs: waitMs }))
    }
    const fresh = answered && this.#parts.freshness.isFresh(facts.now, facts.monotonic)
    if (!trail.add('fresh', fresh, fresh ? 'records are current' : 'records are not current', 'decision_unavailable'))
      return refused(refuse('decision_unavailable', { retryAfterMs: 1000 }))
    const named = () => `client ${shown(presented.clientId)}, ${found === null ? 'no record' : 'record found'}`
    if (!trail.add('known', found !== null, named, 'credential_unknown') || found === null)
      return this.#failed(facts, at, refuse('credential_unknown'))
    const candidate = this.#candidate(facts, at, apiOf(at), found)
    const client = this.#client(candidate)
    if (found.secretRow === -1 && client.oauth?.type !== 'public') {
      trail.add('known', false, 'a client that has a secret, named without it', 'client_unauthenticated')
      return this.#failed(facts, at, refuse('client_unauthenticated'))
    }
    const refusal = run(found.secretRow === -1 ? namingChecks : authenticationChecks, candidate, trail)
    if (refusal !== null) return refused(refusal, client.principal)
    this.#parts.table.touch(found.row)
    return ok(client)
  }

  #failed(facts: RequestFacts, at: At, refusal: Refusal): Result<never, ClientRefusal> {
    this.chargeFailure(facts, at)
    return refused(refusal)
  }

  #waitMs(facts: RequestFacts, { clientIp }: At): number {
    const { failures, declaration } = this.#parts
    return failures.waitMs(clientIp, facts.monotonic, declaration().failures)
  }

  /**
   * One of our own live secrets in memory passes even where its peer's budget of failures is spent. So does a public
   * client, which proves itself by what it was given: nobody can lock a neighbour out.
   */
  #isTrusted({ row, secretRow }: Found, { now }: RequestFacts): boolean {
    const { table } = this.#parts
    if (secretRow === -1) return table.own(row)?.oauth?.type === 'public'
    return (
      !table.isImported(secretRow) &&
      table.state(row, now) === 'active' &&
      !(now >= table.expiresAt(row)) &&
      !(now >= table.notAfter(secretRow))
    )
  }

  #client({ table, row, secretRow }: Candidate): Client {
    const account = table.account(row).record?.id ?? ''
    const project = table.project(row).record?.id ?? ''
    const own = table.own(row)
    const clientId = table.publicId(row) ?? ''
    return {
      credential: table.credentialId(row),
      clientId,
      account,
      project,
      apis: table.profile(row).apis,
      oauth: own?.oauth ?? null,
      principal: {
        row,
        generation: table.generation(row),
        holder: row,
        holderGeneration: table.generation(row),
        secretRow,
        bearer: null,
        credential: table.credentialId(row),
        secret: secretRow === -1 ? null : table.secretId(secretRow),
        publicId: clientId,
        kind: table.kind(row),
        account,
        project,
        environment: table.environment(row) ?? 'live',
        region: table.region(row),
        scopes: [],
        token: null,
        grant: null,
        subject: null,
        label: null,
      },
    }
  }

  #candidate(facts: RequestFacts, at: At, api: Api, { row, secretRow }: Found): Candidate {
    return clientCandidate(this.#parts, this.#rights, { facts, at, api }, { ...ownToken, row, holder: row, secretRow })
  }
}

export interface ClientsParts extends CandidateParts {
  readonly failures: FailureBudget
  readonly freshness: Freshness
}

const noRights: Rights = { scopes: [], holds: () => false }

function refused(refusal: Refusal, principal: Principal | null = null): Result<never, ClientRefusal> {
  return fail({ refusal, principal })
}
