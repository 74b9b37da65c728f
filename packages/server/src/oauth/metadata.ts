import { managementApiId } from '../core/accounts/account.ts'
import type { Declaration } from '../core/apis/api.ts'
import { grantTypes } from '../core/credentials/oauth-client.ts'
import { standardPaths } from '../core/oauth/standard-endpoints.ts'

/** Where the console has them, below the issuer. */
export const authorizePath = '/oauth/authorize'
export const jwksPath = '/oauth/jwks'

/**
 * What clients discover (RFC 8414, section 2). All of it is made of the declared issuer: what a client calls this
 * server in its request says nothing about what it is.
 */
export function metadata({ publicUrl, apis }: Declaration): Readonly<Record<string, unknown>> {
  const at = (path: string) => publicUrl.replace(/\/$/, '') + path
  const scopes = [...apis.values()].flatMap((api) => (api.id === managementApiId ? [] : [...api.scopes.keys()]))
  const proving = ['client_secret_basic', 'client_secret_post']
  return {
    issuer: publicUrl,
    authorization_endpoint: at(authorizePath),
    token_endpoint: at(standardPaths.token),
    introspection_endpoint: at(standardPaths.introspect),
    revocation_endpoint: at(standardPaths.revoke),
    jwks_uri: at(jwksPath),
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypes,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [...proving, 'none'],
    introspection_endpoint_auth_methods_supported: proving,
    revocation_endpoint_auth_methods_supported: [...proving, 'none'],
    scopes_supported: [...new Set(scopes)],
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    service_documentation: at('/api/docs'),
  }
}

/**
 * Paths at which it stands: the well-known segment before the issuer's own path (RFC 8414, section 3.1) and behind it
 * (OpenID Connect Discovery, section 4). A proxy may have taken the issuer's path off by the time that we see it.
 */
export function metadataPaths({ publicUrl }: Pick<Declaration, 'publicUrl'>): readonly string[] {
  const own = issuerPath({ publicUrl })
  return [
    ...new Set(
      wellKnown.flatMap((name) => [`/.well-known/${name}`, `/.well-known/${name}${own}`, `${own}/.well-known/${name}`]),
    ),
  ]
}

/** Without a slash at its end; empty where the issuer is an origin. */
export function issuerPath({ publicUrl }: Pick<Declaration, 'publicUrl'>): string {
  return new URL(publicUrl).pathname.replace(/\/+$/, '')
}

const wellKnown = ['oauth-authorization-server', 'openid-configuration']
