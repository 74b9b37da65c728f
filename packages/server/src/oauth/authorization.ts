import { codeRow, oauthErrorOf, type OAuthError } from '@postern/contract'

import { fail, ok, type Result } from '../base/result.ts'
import type { Client } from '../core/decision/clients.ts'
import type { Authorization, AuthorizationRefusal, AuthorizationRequest } from '../core/oauth/authorization.ts'
import type { Served } from '../core/oauth/endpoint.ts'
import { standardDialect } from '../core/oauth/standard-dialect.ts'
import { askedFor } from './authorization/asked.ts'
import { consented } from './authorization/consented.ts'
import { readAuthorization } from './authorization/parameters.ts'
import { trustedClient } from './authorization/trusted.ts'
import { Call, descriptionOf } from './call.ts'
import type { OAuthParts } from './parts.ts'
import { redirectAnswer } from './redirect.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** Where the browser is sent back to, and with what of its client's own. */
type Target = Pick<AuthorizationRequest, 'redirectUri' | 'state'>

/** RFC 6749, sections 4.1.1 and 4.1.2, with PKCE (RFC 7636) always and the issuer in every answer (RFC 9207). */
export function createAuthorization(parts: OAuthParts): Authorization {
  /** What was found of each request. */
  const known = new WeakMap<AuthorizationRequest, { readonly call: Call; readonly client: Client }>()
  const callOf = (request: AuthorizationRequest) => {
    const found = known.get(request)
    if (found === undefined) throw new Error('an authorization request that was never read')
    return found
  }

  const back = ({ request }: Call, to: Target, said: Readonly<Record<string, string>>) => {
    const own = { state: to.state, iss: parts.declaration().publicUrl }
    return redirectAnswer(to.redirectUri, { ...said, ...own }, request.requestId)
  }
  const refusedBack = (call: Call, to: Target, refusal: OAuthRefusal, error?: OAuthError): Served => {
    const said = { error: error ?? oauthErrorOf(refusal.code), error_description: descriptionOf(refusal) }
    return call.refusedWith(refusal, back(call, to, said))
  }

  return {
    read: async (request) => {
      const call = new Call(request, standardDialect)
      const parameters = readAuthorization(request)
      if (!parameters.ok) return page(call, parameters.error)
      const trusted = await trustedClient(parts, call, parameters.value)
      if (!trusted.ok) return page(call, trusted.error)
      const { client, redirectUri, redirectUriSent } = trusted.value
      const to = { redirectUri, state: parameters.value.found.get('state') ?? null }
      const asked = askedFor(parts, call, client, parameters.value)
      if (!asked.ok) return byRedirect(refusedBack(call, to, asked.error))
      const shown = await askingClient(parts, client)
      const { evaluation } = call.answered(200, null)
      const found = { client: shown, ...to, redirectUriSent, ...asked.value, evaluation }
      known.set(found, { call, client })
      return ok(found)
    },
    approve: async (request, approval, by) => {
      const { call, client } = callOf(request)
      const refusal = parts.clients.mayAct(call.facts, call.at, client, request.api, call.trail)
      if (refusal !== null) return page(call, oauthRefusal('authorization_client_unknown'))
      const code = await consented(parts, request, approval, by)
      if (!code.ok) return byRedirect(refusedBack(call, request, code.error))
      return ok(call.with(back(call, request, { code: code.value })))
    },
    refuse: (request, error, description) => {
      const { call } = callOf(request)
      call.trail.add('consent', false, error, 'authorization_denied')
      return refusedBack(call, request, oauthRefusal('authorization_denied', { hint: description }), error)
    },
  }
}

function byRedirect(served: Served): Result<never, AuthorizationRefusal> {
  return fail({ kind: 'redirect', served })
}

async function askingClient(parts: OAuthParts, client: Client): Promise<AuthorizationRequest['client']> {
  const { credential, clientId: id, account, oauth } = client
  const name = (await parts.nameOf({ id: credential })) ?? id
  const refreshes = oauth?.grantTypes.includes('refresh_token') === true
  return { credential, id, name, account, type: oauth?.type ?? 'public', refreshes }
}

/** Nothing is sent to an address that nobody registered: the person is told (RFC 6749, section 4.1.2.1). */
function page(call: Call, refusal: OAuthRefusal): Result<never, AuthorizationRefusal> {
  const { code } = refusal
  const { title, status } = codeRow(code)
  const { evaluation } = call.refused(refusal)
  return fail({ kind: 'page', status, title, detail: descriptionOf(refusal), evaluation })
}
