/** What a client may ask the token endpoint for (RFC 6749, sections 4.1.3, 4.4.2 and 6). */
export const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'] as const
export type GrantType = (typeof grantTypes)[number]

/** What an OAuth client has beyond what every credential has. */
export interface OAuthClient {
  /** A public client has no secret and proves itself by PKCE alone (RFC 6749, section 2.1). */
  readonly type: 'confidential' | 'public'
  readonly grantTypes: readonly GrantType[]
  /** Compared byte for byte, but for the port of a loopback address (RFC 8252, section 7.3). */
  readonly redirectUris: readonly string[]
}
