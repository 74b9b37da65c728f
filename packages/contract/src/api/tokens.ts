import Type, { type Static } from 'typebox'

import { closed, effect, listOf, nullable, ref, Timestamp } from './common.ts'

export const TokenKind = Type.Union([Type.Literal('access'), Type.Literal('refresh'), Type.Literal('code')])

export const Token = Type.Object(
  {
    id: Type.String({ description: 'Of a JWT: its `jti`.' }),
    kind: TokenKind,
    format: Type.Union([Type.Literal('opaque'), Type.Literal('jwt')]),
    credential: Type.String(),
    grant: nullable(Type.String({ description: 'Null: minted by the credential for itself.' })),
    family: nullable(Type.String({ description: 'Id of the authorization code that it comes from.' })),
    account: Type.String(),
    project: Type.String(),
    api: Type.String({ description: 'Its audience.' }),
    scopes: Type.Array(Type.String(), { description: 'What was granted. What it may do now is derived at each use.' }),
    label: nullable(Type.String({ description: 'Whom it was minted for, as its broker says.' })),
    state: Type.Union([Type.Literal('live'), Type.Literal('spent'), Type.Literal('expired'), Type.Literal('revoked')], {
      description: 'Of the token alone: it is refused as well while its credential or grant is.',
    }),
    created_at: Timestamp,
    expires_at: Timestamp,
    spent_at: nullable(Timestamp),
    revoked_at: nullable(Timestamp),
  },
  { $id: 'Token', description: 'The description of a token; neither its value nor its digest.' },
)
export type Token = Static<typeof Token>
export const TokenList = listOf(Token)
export type TokenList = Static<typeof TokenList>

export const ChangedToken = Type.Object({ token: ref(Token), ...effect }, { $id: 'ChangedToken' })
export type ChangedToken = Static<typeof ChangedToken>

export const IntrospectToken = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 8192, description: 'As its holder presents it.' }) },
  { $id: 'IntrospectToken', ...closed },
)
export type IntrospectToken = Static<typeof IntrospectToken>
