import Type, { type Static } from 'typebox'

import { duration, strict, text } from './config-terms.ts'

/** Issuers of JWTs that are not ours, and what their claims stand for. */

const url = Type.String({ minLength: 1, maxLength: 2_000, expects: 'a URL that begins with https://' })
const name = Type.String({ minLength: 1, maxLength: 200, expects: 'a name' })
const texts = Type.Array(Type.String({ minLength: 1, maxLength: 2_000, expects: 'text' }), { minItems: 1 })
const peer = text('^[A-Za-z0-9.:/]+$', 'an IP address, a CIDR range, loopback or private')

/** The name of a claim, or the names on the way to one inside of others. */
const claim = Type.Union([name, Type.Array(name, { minItems: 1, maxItems: 8 })], {
  expects: 'the name of a claim, or a list of names such as [realm_access, roles]',
})

/** What each value of a claim stands for: one name of ours, or several. */
const map = Type.Record(Type.String(), Type.Union([name, Type.Array(name)]), {
  expects: 'a map such as {read: orders.read}',
})

const audience = Type.Union([
  texts,
  Type.Record(Type.String(), texts, { minProperties: 1, expects: 'a map such as {shop: [https://api.example.com]}' }),
])

export const issuer = Type.Object(
  {
    issuer: url,
    jwks_uri: url,
    audience,
    apis: Type.Array(name, { minItems: 1 }),
    credential: text('^cred_[0-9A-Za-z]{12}$', 'the id of a credential, such as cred_4f7Kq0ZxT2bW'),
    algorithms: Type.Array(
      Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']),
      { minItems: 1 },
    ),
    types: Type.Optional(Type.Array(Type.Enum(['at+jwt', 'JWT', 'absent']), { minItems: 1 })),
    scopes: Type.Optional(Type.Object({ claim: Type.Optional(claim), map: Type.Optional(map) }, strict)),
    roles: Type.Optional(Type.Object({ claim: Type.Optional(claim), map: Type.Optional(map) }, strict)),
    subject: Type.Optional(claim),
    required_claims: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String({ expects: 'text' }), texts]), {
        expects: 'a map such as {tenant: acme}',
      }),
    ),
    clock_skew: Type.Optional(duration),
    max_age: Type.Optional(duration),
    allow_private: Type.Optional(Type.Array(peer)),
  },
  strict,
)
export type ConfigIssuer = Static<typeof issuer>
