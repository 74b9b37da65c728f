import { codeRow, oauthErrorOf, oauthStatusOf } from '@postern/contract'

import { fail, type Result } from '../base/result.ts'
import { managementApiId } from '../core/accounts/account.ts'
import type { Api } from '../core/apis/api.ts'
import type { Answer } from '../core/decision/answer.ts'
import { retryAfterSeconds } from '../core/decision/answer.ts'
import type { Client } from '../core/decision/clients.ts'
import type { Evaluation, Refusal, Step } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValue } from '../core/decision/headers.ts'
import { refuse } from '../core/decision/refuse.ts'
import { shown, Trail } from '../core/decision/trail.ts'
import type { OAuthDialect } from '../core/oauth/dialect.ts'
import type { EndpointRequest, Served } from '../core/oauth/endpoint.ts'
import type { Principal } from '../core/records/principal.ts'
import { browserHeaders } from './browser.ts'
import { jsonAnswer } from './json-answer.ts'
import type { ParameterName } from './parameters.ts'
import type { PresentedClient } from './presented-client.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** One call of an endpoint: what was found of it so far, for its answer and for the log. */
export class Call {
  readonly request: EndpointRequest
  readonly dialect: OAuthDialect
  /** Every check, so that a refusal can be explained by what its caller may not see. */
  readonly trail = new Trail(true)
  presented: PresentedClient | null = null
  client: Client | null = null
  principal: Principal | null = null
  /** Whose secret came over plain HTTP. */
  exposed: Principal | null = null

  constructor(request: EndpointRequest, dialect: OAuthDialect) {
    this.request = request
    this.dialect = dialect
  }

  get facts(): RequestFacts {
    return this.request.facts
  }

  get at(): Evaluation {
    return this.request.matched
  }

  /** The API at whose address it came; null on the console, which serves all of them. */
  get here(): Api | null {
    const { api } = this.at
    return api === null || api.id === managementApiId ? null : api
  }

  /** Notes what was compared and found wrong. */
  fail(step: Step, refusal: OAuthRefusal, compared: string): Result<never, OAuthRefusal> {
    this.trail.add(step, false, () => shown(compared), refusal.code)
    return fail(refusal)
  }

  /** What the decision refuses, and has noted. */
  failBy({ code, hint, retryAfterMs }: Refusal): Result<never, OAuthRefusal> {
    return fail(oauthRefusal(code, { hint, retryAfterMs }))
  }

  /** What was noted already, told in another way. */
  failAs(refusal: OAuthRefusal): Result<never, OAuthRefusal> {
    return fail(refusal)
  }

  missing(parameter: ParameterName): Result<never, OAuthRefusal> {
    const hint = `"${parameter}" is missing.`
    return this.fail('parameters', oauthRefusal('oauth_request_invalid', { missing: parameter, hint }), hint)
  }

  /** An answer that is whole already. */
  with(answer: Answer): Served {
    return { answer, evaluation: this.#evaluation(null) }
  }

  refusedWith({ code, hint }: OAuthRefusal, answer: Answer): Served {
    return { answer, evaluation: this.#evaluation(refuse(code, { hint })) }
  }

  answered(status: number, body: Readonly<Record<string, unknown>> | null): Served {
    return { answer: this.#answer(status, body, []), evaluation: this.#evaluation(null) }
  }

  refused(refusal: OAuthRefusal): Served {
    const { code, retryAfterMs, allowMethods } = refusal
    const { status, body } = this.dialect.refused({
      code,
      error: oauthErrorOf(code),
      status: oauthStatusOf(code),
      description: descriptionOf(refusal),
      requestId: this.request.requestId,
      missing: refusal.missing,
      badScopes: refusal.badScopes,
    })
    const more = [
      ...(status === 401 && this.#usedAuthorization() ? ['WWW-Authenticate', `Basic realm="${this.#realm()}"`] : []),
      ...(retryAfterMs === null ? [] : ['Retry-After', String(retryAfterSeconds(retryAfterMs))]),
      ...(allowMethods.length === 0 ? [] : ['Allow', allowMethods.join(', ')]),
    ]
    const { hint } = refusal
    return {
      answer: this.#answer(status, body, more),
      evaluation: this.#evaluation(refuse(code, { hint, retryAfterMs, allowMethods })),
    }
  }

  #answer(status: number, body: Readonly<Record<string, unknown>> | null, more: readonly string[]): Answer {
    return jsonAnswer(status, body, this.request.requestId, [...more, ...browserHeaders(this.facts, this.client)])
  }

  #usedAuthorization(): boolean {
    return headerValue(this.facts.headers, 'authorization') !== null
  }

  #realm(): string {
    return this.at.api?.id ?? ''
  }

  #evaluation(refusal: Refusal | null): Evaluation {
    const { at, principal, presented, trail } = this
    return {
      ...at,
      allowed: refusal === null,
      refusal,
      environment: principal?.environment ?? at.environment,
      presented:
        presented === null || presented.secret === null
          ? null
          : { place: basicPlace, publicId: presented.clientId, secret: presented.secret },
      principal,
      checks: trail.checks,
      exposed: this.exposed,
      trace: refusal === null ? null : [...(at.trace ?? []), ...(trail.trace ?? [])],
    }
  }
}

const basicPlace = { in: 'basic', accept: ['key'], kinds: null } as const

/** A wrong secret, an unknown client and one that proves nothing read alike (RFC 9700; statement 31). */
export function descriptionOf({ code, hint }: OAuthRefusal): string {
  if (code === 'credential_unknown' || code === 'credential_malformed' || code === 'client_unauthenticated')
    return codeRow('client_unauthenticated').detail
  const { detail } = codeRow(code)
  return plain(hint === null ? detail : `${detail} ${hint}`)
}

/** The characters that a description may have (RFC 6749, section 5.2): ASCII, no double quotes and no backslash. */
function plain(text: string): string {
  return text.replaceAll(/["\u2018\u2019\u201c\u201d`]/g, "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}
