import { ok } from '../base/result.ts'
import type { OAuthDialect } from '../core/oauth/dialect.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import { endpointOf } from './endpoint.ts'
import { opened } from './opened.ts'
import type { OAuthParts } from './parts.ts'
import { tokenDigest } from './presented-token.ts'
import { provenanceOf } from './provenance.ts'
import { committed } from './written.ts'

/**
 * RFC 7009. A client ends tokens of its own; one that is unknown, dead or another client's is left as it is, and reads
 * alike. A refresh token takes all of its family with it.
 */
export function revocationEndpoint(parts: OAuthParts, dialect: OAuthDialect): Endpoint {
  return endpointOf(dialect, async (call) => {
    const open = await opened(parts, call)
    if (!open.ok) return open
    const { client, parameters } = open.value
    const token = parameters.get(dialect.tokenParameter)
    if (token === undefined) return call.missing(dialect.tokenParameter)
    const digest = tokenDigest(parts, token)
    const by = provenanceOf(call, client, parts.clock.now())
    const input = { client: client.credential, scope: null, by }
    const ended =
      digest === null
        ? ok(null)
        : committed(parts, await parts.tokens.revoke({ token: { digest }, ...input }), 'internal_error')
    if (!ended.ok) return ended
    const { status, body } = dialect.revoked(ended.value !== null)
    return ok(call.answered(status, body))
  })
}
