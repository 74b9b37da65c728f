import type { Declaration } from '../core/apis/api.ts'
import type { ConsolePage } from '../core/oauth/console-routes.ts'
import { introspectId, revokeId, standardPaths, tokenId } from '../core/oauth/standard-endpoints.ts'
import { authorizePath, issuerPath, jwksPath, metadataPaths } from './metadata.ts'

/** What the console serves of OAuth by itself; where people are asked is for `identity/`. */
export function oauthPages(declaration: Declaration): readonly ConsolePage[] {
  const pages: readonly ConsolePage[] = [
    { id: tokenId, path: standardPaths.token, endpoint: 'token' },
    { id: introspectId, path: standardPaths.introspect, endpoint: 'introspection' },
    { id: revokeId, path: standardPaths.revoke, endpoint: 'revocation' },
    { id: 'oauth.authorize', path: authorizePath },
    { id: 'oauth.jwks', path: jwksPath },
  ]
  const base = issuerPath(declaration)
  return [
    ...pages,
    // A proxy in front may take the path of the issuer away, or leave it.
    ...(base === '' ? [] : pages.map((page) => ({ ...page, path: base + page.path }))),
    ...metadataPaths(declaration).map((path) => ({ id: 'oauth.metadata', path })),
  ]
}
