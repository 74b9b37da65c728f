import { ok } from '../base/result.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import type { Client } from '../core/decision/clients.ts'
import { Trail } from '../core/decision/trail.ts'
import type { IntrospectedToken, OAuthDialect } from '../core/oauth/dialect.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { Token } from '../core/tokens/token.ts'
import type { Call } from './call.ts'
import { endpointOf } from './endpoint.ts'
import { audienceOf } from './mint.ts'
import { opened } from './opened.ts'
import type { OAuthParts } from './parts.ts'
import { tokenDigest } from './presented-token.ts'
import { oauthRefusal } from './refusal.ts'

/**
 * RFC 7662. A client is told of its own tokens, a client of the operator's of those for its APIs. Everything else, dead
 * or another's, is not active, and why is nobody's business (section 2.2).
 */
export function introspectionEndpoint(parts: OAuthParts, dialect: OAuthDialect): Endpoint {
  return endpointOf(dialect, async (call) => {
    const open = await opened(parts, call)
    if (!open.ok) return open
    const { client, parameters } = open.value
    // Section 2.1: whoever asks has to prove itself, or tokens could be tried out here.
    if (call.presented?.secret === null)
      return call.fail('client', oauthRefusal('client_unauthenticated'), 'a public client')
    const text = parameters.get(dialect.tokenParameter)
    if (text === undefined) return call.missing(dialect.tokenParameter)
    const digest = tokenDigest(parts, text)
    const token = digest === null ? null : await parts.tokens.describe({ digest })
    const told = token === null || !mayBeTold(client, token) ? null : await alive(parts, call, token, text)
    return ok(call.answered(200, dialect.introspected(told)))
  })
}

function mayBeTold(client: Client, { credential, api }: Token): boolean {
  return credential === client.credential || (client.account === operatorAccountId && client.apis.has(api))
}

/** What can be told of it, with what it may do now; null: it is good for nothing. */
async function alive(parts: OAuthParts, call: Call, token: Token, text: string): Promise<IntrospectedToken | null> {
  const { declaration, clients, clock, grantRecord } = parts
  const api = declaration().apis.get(token.api)
  const now = clock.now()
  if (api === undefined || token.kind === 'code') return null
  if (token.revokedAt !== null || token.spentAt !== null || now >= token.expiresAt) return null
  const grant = token.grant === null ? null : await grantRecord({ id: token.grant })
  if (token.grant !== null && (grant === null || !grant.active || grant.role === null)) return null
  if (!clients.stands(call.facts, call.at, token.credential, api, new Trail(false))) return null
  const rights = clients.rights(token, api)
  return {
    token: text,
    id: token.id,
    kind: token.kind,
    clientId: clients.idOf(token.credential),
    scopes: token.scopes.filter((scope) => rights.holds(scope)),
    subject: grant?.user ?? token.credential,
    audience: audienceOf(api),
    issuer: declaration().publicUrl,
    label: token.label,
    issuedAt: token.createdAt,
    expiresAt: token.expiresAt,
  }
}
