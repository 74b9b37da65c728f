import { ok } from '../base/result.ts'
import type { GrantType } from '../core/credentials/oauth-client.ts'
import type { Client } from '../core/decision/clients.ts'
import type { OAuthDialect } from '../core/oauth/dialect.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import { endpointOf } from './endpoint.ts'
import { grants } from './grants/index.ts'
import { opened } from './opened.ts'
import type { OAuthParts } from './parts.ts'
import { oauthRefusal } from './refusal.ts'

/** RFC 6749, section 3.2. */
export function tokenEndpoint(parts: OAuthParts, dialect: OAuthDialect): Endpoint {
  return endpointOf(dialect, async (call) => {
    const open = await opened(parts, call)
    if (!open.ok) return open
    const { client, parameters } = open.value
    const asked = parameters.get('grant_type')
    if (asked === undefined) return call.missing('grant_type')
    const grant = grants.find(({ type }) => type === asked && dialect.grantTypes.includes(type))
    if (grant === undefined) return call.fail('grant_type', oauthRefusal('grant_type_unsupported'), asked)
    if (!mayUse(client, grant.type)) return call.fail('grant_type', oauthRefusal('grant_type_not_allowed'), asked)
    call.trail.add('grant_type', true, asked, 'grant_type_unsupported')
    const issued = await grant.issue(parts, call, client, parameters)
    return issued.ok ? ok(call.answered(200, dialect.issued(issued.value))) : issued
  })
}

/** A key mints tokens for itself alone; whether its API lets it is for the checks. */
function mayUse({ oauth }: Client, type: GrantType): boolean {
  return oauth === null ? type === 'client_credentials' : oauth.grantTypes.includes(type)
}
