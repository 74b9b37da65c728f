import type { Code, OAuthError } from '@postern/contract'

import type { GrantType } from '../credentials/oauth-client.ts'

/** How an endpoint for tokens is asked and how it answers, where a vendor's clients expect another form than the RFCs'. */
export interface OAuthDialect {
  readonly id: string
  /** Pairs of headers by which a client may authenticate, beside Basic and the body; names in lower case. */
  readonly pairHeaders: readonly { readonly id: string; readonly secret: string }[]
  readonly grantTypes: readonly GrantType[]
  /** Parameters that a request for a token needs here although the RFCs do not. */
  readonly required: readonly ('scope' | 'project_id')[]
  /** The parameter that carries the token at introspection and revocation. */
  readonly tokenParameter: 'token' | 'access_token'
  issued(issued: IssuedTokens): DialectBody
  /** Null: nothing that this client may know is alive. */
  introspected(token: IntrospectedToken | null): DialectBody
  /** `found`: there was such a token of this client, and it was alive. */
  revoked(found: boolean): DialectAnswer
  refused(refused: RefusedRequest): DialectAnswer
}

/** A JSON body with status 200. */
export type DialectBody = Readonly<Record<string, unknown>>

interface DialectAnswer {
  readonly status: number
  /** Null: no body. */
  readonly body: DialectBody | null
}

/** What a request for a token has yielded. */
export interface IssuedTokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly expiresAt: number
  readonly expiresInSeconds: number
}

/** A token that is alive, as whoever may know of it is told (RFC 7662, section 2.2). */
export interface IntrospectedToken {
  /** As it was presented. */
  readonly token: string
  readonly id: string
  readonly kind: 'access' | 'refresh'
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly subject: string
  readonly audience: string
  readonly issuer: string
  readonly label: string | null
  /** Epoch ms. */
  readonly issuedAt: number
  readonly expiresAt: number
}

export interface RefusedRequest {
  readonly code: Code
  readonly error: OAuthError
  readonly status: number
  /** What the caller may read. */
  readonly description: string
  readonly requestId: string
  /** Parameter that is missing, if that is all. */
  readonly missing: string | null
  /** Scopes that were asked for and cannot be had, as the client sent them. */
  readonly badScopes: readonly string[]
}
