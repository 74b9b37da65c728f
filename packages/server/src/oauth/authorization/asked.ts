import { ok, type Result } from '../../base/result.ts'
import type { Client } from '../../core/decision/clients.ts'
import type { AuthorizationRequest } from '../../core/oauth/authorization.ts'
import type { Call } from '../call.ts'
import type { EachParameter, Parameters } from '../parameters.ts'
import type { OAuthParts } from '../parts.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'
import { chosenApi } from '../resource.ts'
import { allScopes, requestedScopes, within } from '../scopes.ts'

type Asked = Pick<AuthorizationRequest, 'api' | 'scopes' | 'challenge' | 'prompt'>

/** What a client that is trusted asks for; every fault of it is told by a redirect. */
export function askedFor(
  parts: OAuthParts,
  call: Call,
  client: Client,
  { found, faults }: EachParameter,
): Result<Asked, OAuthRefusal> {
  const [fault] = faults.values()
  if (fault !== undefined) return call.fail('parameters', fault, fault.hint ?? 'doubled or malformed')
  const form = formFault(found)
  if (form !== null) return call.fail('parameters', form, form.hint ?? 'what is supported')
  if (client.oauth?.grantTypes.includes('authorization_code') !== true)
    return call.fail('grant_type', oauthRefusal('grant_type_not_allowed'), 'authorization_code')
  const challenge = challengeOf(found)
  if (challenge === null) return call.fail('parameters', oauthRefusal('challenge_missing'), 'code_challenge with S256')
  const prompt = promptOf(found.get('prompt'))
  if (prompt === null) return call.fail('parameters', invalid('prompt'), `prompt ${found.get('prompt') ?? ''}`)

  const resource = found.get('resource')
  const api = chosenApi(parts.declaration(), client, null, resource)
  if (!api.ok) return call.fail('resource', api.error, `resource ${resource ?? 'not named'}`)
  const refusal = parts.clients.mayAct(call.facts, call.at, client, api.value, call.trail)
  if (refusal !== null) return call.failBy(refusal)
  const rights = parts.clients.rights(client, api.value)
  const scope = found.get('scope')
  const scopes = requestedScopes(scope, allScopes(api.value, rights), within(api.value, rights))
  if (!scopes.ok) return call.fail('scope_request', scopes.error, `asked for ${scope ?? 'all'}`)
  return ok({ api: api.value, scopes: scopes.value, challenge, prompt })
}

/** What is not understood must not be done in part (RFC 9101, section 6.1; OAuth 2.0 Multiple Response Types). */
function formFault(found: Parameters): OAuthRefusal | null {
  if (found.has('request')) return oauthRefusal('request_object_unsupported')
  if (found.has('request_uri')) return oauthRefusal('request_uri_unsupported')
  const type = found.get('response_type')
  if (type === undefined) return oauthRefusal('oauth_request_invalid', { hint: '"response_type" is missing.' })
  if (type !== 'code') return oauthRefusal('response_type_unsupported')
  return (found.get('response_mode') ?? 'query') === 'query' ? null : invalid('response_mode')
}

function invalid(name: string): OAuthRefusal {
  return oauthRefusal('oauth_request_invalid', { hint: `"${name}" has a value that is not supported.` })
}

/** RFC 7636, section 4.3: without a method it would be `plain`, which is as good as none. */
function challengeOf(found: Parameters): string | null {
  const challenge = found.get('code_challenge')
  const fits =
    found.get('code_challenge_method') === 'S256' && challenge !== undefined && /^[A-Za-z0-9_-]{43}$/.test(challenge)
  return fits ? challenge : null
}

const prompts = ['login', 'consent', 'none', 'select_account'] as const

/** OpenID Connect Core, section 3.1.2.1: `none` stands alone. */
function promptOf(text: string | undefined): AuthorizationRequest['prompt'] | null {
  const asked = (text ?? '').split(' ').filter((each) => each !== '')
  const known = prompts.filter((each) => asked.includes(each))
  if (asked.some((each) => !known.some((prompt) => prompt === each))) return null
  return known.includes('none') && known.length > 1 ? null : known
}
