import Type, { type Static } from 'typebox'

import { closed } from './common.ts'

export const GrantType = Type.Union([
  Type.Literal('authorization_code'),
  Type.Literal('refresh_token'),
  Type.Literal('client_credentials'),
])

const GrantTypes = Type.Array(GrantType, { minItems: 1, maxItems: 3, uniqueItems: true })
const defaultGrantTypes =
  'Without `grant_types`: `authorization_code` and `refresh_token` for a client that is public or has redirect URIs, else `client_credentials`.'

const RedirectUris = Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), {
  maxItems: 20,
  description:
    'Compared byte for byte, but for the port of a loopback address (RFC 8252, section 7.3). Needed for `authorization_code`.',
})

const ClientType = Type.Union([Type.Literal('confidential'), Type.Literal('public')], {
  description: 'A public client has no secret: it runs where one could be read, and proves itself by PKCE alone.',
})

/** What an OAuth client has beyond what every credential has. */
export const OAuthClient = Type.Object(
  { type: ClientType, grant_types: Type.Array(GrantType), redirect_uris: Type.Array(Type.String()) },
  { $id: 'OAuthClient' },
)
export type OAuthClient = Static<typeof OAuthClient>

export const CreateOAuthClient = Type.Object(
  { type: ClientType, grant_types: Type.Optional(GrantTypes), redirect_uris: Type.Optional(RedirectUris) },
  { $id: 'CreateOAuthClient', ...closed, description: defaultGrantTypes },
)
export type CreateOAuthClient = Static<typeof CreateOAuthClient>

export const UpdateOAuthClient = Type.Object(
  { grant_types: Type.Optional(GrantTypes), redirect_uris: Type.Optional(RedirectUris) },
  { $id: 'UpdateOAuthClient', ...closed, minProperties: 1, description: 'The type of a client never changes.' },
)
export type UpdateOAuthClient = Static<typeof UpdateOAuthClient>
