import Type, { type Static } from 'typebox'

import { closed, effect, nullable, ref, Timestamp } from './common.ts'

export const SigningKey = Type.Object(
  {
    kid: Type.String({ description: 'RFC 7638 thumbprint.' }),
    algorithm: Type.Literal('ES256'),
    state: Type.Union([Type.Literal('next'), Type.Literal('current'), Type.Literal('retired')], {
      description: '`next` and `retired` are in the JWKS, and sign nothing.',
    }),
    created_at: Timestamp,
    used_from: Timestamp,
    used_until: nullable(Type.String({ format: 'date-time', description: 'Null: nothing takes over from it yet.' })),
  },
  { $id: 'SigningKey', description: 'The public half of a key that signs access tokens.' },
)
export type SigningKey = Static<typeof SigningKey>

export const SigningKeyList = Type.Object(
  { data: Type.Array(ref(SigningKey)), next_cursor: Type.Null() },
  { $id: 'SigningKeyList' },
)
export type SigningKeyList = Static<typeof SigningKeyList>

export const RotateSigningKeys = Type.Object(
  {
    compromised: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Somebody else may have the current key: it goes at once, and nothing that it signed is good any more.',
      }),
    ),
  },
  { $id: 'RotateSigningKeys', ...closed },
)
export type RotateSigningKeys = Static<typeof RotateSigningKeys>

export const RotatedSigningKeys = Type.Object(
  { data: Type.Array(ref(SigningKey)), ...effect },
  { $id: 'RotatedSigningKeys' },
)
export type RotatedSigningKeys = Static<typeof RotatedSigningKeys>
