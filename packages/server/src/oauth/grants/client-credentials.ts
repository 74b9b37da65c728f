import { ok, type Result } from '../../base/result.ts'
import { withoutKeys } from '../../core/credentials/masking.ts'
import type { Client } from '../../core/decision/clients.ts'
import type { Call } from '../call.ts'
import { mintAccess } from '../mint.ts'
import type { Parameters } from '../parameters.ts'
import { oauthRefusal, type OAuthRefusal } from '../refusal.ts'
import { chosenApi } from '../resource.ts'
import { allScopes, requestedScopes, within } from '../scopes.ts'
import type { Grant } from './grant.ts'
import { issuedTokens } from './issued.ts'

/** RFC 6749, section 4.4: the client acts for itself, so there is no refresh token (section 4.4.3). */
export const clientCredentials: Grant = {
  type: 'client_credentials',
  issue: async (parts, call, client, parameters) => {
    const { clients, clock, tokens, minted } = parts
    const fault = dialectFault(call, client, parameters)
    if (fault !== null) return fault

    const resource = parameters.get('resource')
    const api = chosenApi(parts.declaration(), client, call.here, resource)
    if (!api.ok) return call.fail('resource', api.error, `resource ${resource ?? 'not named'}`)
    const refusal = clients.mayMint(call.facts, call.at, client, api.value, call.trail)
    if (refusal !== null) return call.failBy(refusal)

    const rights = clients.rights(client, api.value)
    const scope = parameters.get('scope')
    const scopes = requestedScopes(scope, allScopes(api.value, rights), within(api.value, rights))
    if (!scopes.ok) return call.fail('scope_request', scopes.error, `asked for ${scope ?? 'all'}`)

    const now = clock.now()
    const label = labelOf(parameters)
    const access = mintAccess(parts, { client, api: api.value, scopes: scopes.value, label, consent: null }, now)
    await tokens.mint({ tokens: [access.token] })
    minted([access.token])
    return ok(issuedTokens(client, access, null))
  },
}

/** What a vendor asks for beyond the RFC. */
function dialectFault(call: Call, client: Client, parameters: Parameters): Result<never, OAuthRefusal> | null {
  const { required } = call.dialect
  const missing = required.find((name) => !parameters.has(name))
  if (missing !== undefined)
    return call.fail('parameters', oauthRefusal('oauth_request_invalid', { missing }), 'all that are needed')
  const project = required.includes('project_id') ? parameters.get('project_id') : client.project
  if (project === client.project) return null
  return call.fail(
    'resource',
    oauthRefusal('resource_invalid', { hint: 'project_id is another project.' }),
    'project_id',
  )
}

/** Whom a broker mints it for (VCH-11). It stands in logs, so no key may. */
function labelOf(parameters: Parameters): string | null {
  const label = parameters.get('label')
  return label === undefined ? null : withoutKeys(label)
}
