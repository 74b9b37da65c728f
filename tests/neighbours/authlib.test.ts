import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { anIssuer, answered, anIssuerWorld, theClaims } from '../../packages/server/src/core/issuers/testing/issuer.ts'
import { jwsAlgorithms } from '../../packages/server/src/core/jose/algorithms.ts'

/** Makes a key and signs with it; what it is told and what it answers is JSON. */
const program = `
import json, sys
from authlib.jose import JsonWebKey, JsonWebSignature

asked = json.load(sys.stdin)
answer = []
for algorithm in asked["algorithms"]:
    curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}.get(algorithm)
    kind = "RSA" if curve is None else "OKP" if algorithm == "EdDSA" else "EC"
    key = JsonWebKey.generate_key(kind, curve or 2048, {"kid": algorithm, "use": "sig"}, is_private=True)
    # Its JsonWebToken writes another type into the header, whatever it is told.
    header = {"alg": algorithm, "kid": algorithm, "typ": "at+jwt"}
    payload = json.dumps(asked["claims"]).encode()
    token = JsonWebSignature([algorithm]).serialize_compact(header, payload, key).decode()
    answer.append({"jwk": key.as_dict(is_private=False), "token": token})
print(json.dumps(answer))
`

interface Signed {
  readonly jwk: Readonly<Record<string, unknown>>
  readonly token: string
}

describe('JWTs that authlib signs', () => {
  // It does not know the newer name of EdDSA.
  const algorithms = jwsAlgorithms.filter((algorithm) => algorithm !== 'Ed25519')

  it('are good with the keys that authlib writes, and with no others (CRC-4)', async () => {
    const input = JSON.stringify({ algorithms, claims: theClaims() })
    // What the program above prints.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const signed = JSON.parse(
      execFileSync('/usr/bin/python3', ['-c', program], { input, encoding: 'utf8', timeout: 60_000 }),
    ) as Signed[]
    expect(signed.map(({ jwk }) => jwk['kid'])).toEqual(algorithms)
    const issuers = [anIssuer({ algorithms: new Set(algorithms) })]
    const world = anIssuerWorld({
      issuers,
      answer: () => answered(JSON.stringify({ keys: signed.map(({ jwk }) => jwk) })),
    })
    const others = anIssuerWorld({
      issuers,
      answer: () =>
        answered(JSON.stringify({ keys: signed.slice(1).map(({ jwk }, i) => ({ ...jwk, kid: algorithms[i] })) })),
    })
    for (const [i, { token }] of signed.entries()) {
      expect([algorithms[i], await world.settled(token)]).toMatchObject([
        algorithms[i],
        { token: { subject: 'corp:alice' } },
      ])
      expect([algorithms[i], (await others.settled(token)).kind]).toEqual([algorithms[i], 'refused'])
    }
  })
})
