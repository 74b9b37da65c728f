import { ok, type Result } from '../base/result.ts'
import type { Client } from '../core/decision/clients.ts'
import type { Call } from './call.ts'
import { type Parameters, readBody } from './parameters.ts'
import type { OAuthParts } from './parts.ts'
import { presentedClient } from './presented-client.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

export interface Opened {
  readonly parameters: Parameters
  readonly client: Client
}

/** What the three endpoints have in common: method, parameters, client; in this order, and the first fault decides. */
export async function opened(parts: OAuthParts, call: Call): Promise<Result<Opened, OAuthRefusal>> {
  const { facts, at, request, dialect, trail } = call
  if (facts.method !== 'POST')
    return call.fail('parameters', oauthRefusal('oauth_method_not_allowed', { allowMethods }), `method ${facts.method}`)
  const parameters = readBody(facts.headers, at.query, request.body)
  if (!parameters.ok) return call.fail('parameters', parameters.error, parameters.error.hint ?? 'form or JSON')
  const presented = presentedClient(facts.headers, parameters.value, dialect)
  if (!presented.ok) return call.fail('client', presented.error, presented.error.hint ?? 'how the client names itself')
  call.presented = presented.value
  trail.add('client', true, presented.value.method, 'client_missing')
  if (at.refusal?.code === 'insecure_transport') {
    call.exposed = parts.clients.exposed(facts, at, presented.value)
    return call.failBy(at.refusal)
  }
  const found = await parts.clients.authenticate(facts, at, presented.value, trail)
  if (!found.ok) {
    call.principal = found.error.principal
    return call.failBy(found.error.refusal)
  }
  call.client = found.value
  call.principal = found.value.principal
  return ok({ parameters: parameters.value, client: found.value })
}

const allowMethods = ['POST', 'OPTIONS']
