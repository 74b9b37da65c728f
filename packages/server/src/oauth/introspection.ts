import { sha256 } from '../base/digest.ts'
import { ok } from '../base/result.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import type { Client } from '../core/decision/clients.ts'
import type { LiveToken } from '../core/decision/live-tokens.ts'
import type { IntrospectedToken, OAuthDialect } from '../core/oauth/dialect.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { Call } from './call.ts'
import { endpointOf } from './endpoint.ts'
import { audienceOf } from './mint.ts'
import { opened } from './opened.ts'
import type { OAuthParts } from './parts.ts'
import { shapeOf } from './presented-token.ts'
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
    const token = await liveToken(parts, call, text)
    const told = token !== null && mayBeTold(client, token.live) ? toldOf(parts, token, text) : null
    return ok(call.answered(200, dialect.introspected(told)))
  })
}

interface Found {
  readonly kind: 'access' | 'refresh'
  readonly live: LiveToken
}

async function liveToken(parts: OAuthParts, call: Call, text: string): Promise<Found | null> {
  const { liveTokens, tokens, grantRecord } = parts
  if (shapeOf(parts, text) !== 'refresh') {
    const live = await liveTokens.find(call.facts, call.at, text)
    return live === null ? null : { kind: 'access', live }
  }
  const token = await tokens.describe({ digest: sha256(text) })
  if (token === null) return null
  const grant = token.grant === null ? null : await grantRecord({ id: token.grant })
  const live = liveTokens.refresh(call.facts, call.at, token, grant)
  return live === null ? null : { kind: 'refresh', live }
}

function mayBeTold(client: Client, { credential, api }: LiveToken): boolean {
  return credential === client.credential || (client.account === operatorAccountId && client.apis.has(api))
}

/** With what it may do now. */
function toldOf({ declaration }: OAuthParts, { kind, live }: Found, text: string): IntrospectedToken | null {
  const { publicUrl: issuer, apis } = declaration()
  const api = apis.get(live.api)
  if (api === undefined) return null
  const { id, clientId, scopes, label, createdAt: issuedAt, expiresAt } = live
  const subject = live.user ?? live.credential
  return {
    token: text,
    id,
    kind,
    clientId,
    scopes,
    subject,
    audience: audienceOf(api),
    issuer,
    label,
    issuedAt,
    expiresAt,
  }
}
