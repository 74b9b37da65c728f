import type { JwtVerifier } from './jwt-verifier.ts'

/** Where no JWT is good: whatever looks like one is unknown. */
export const noJwts: JwtVerifier = {
  known: () => null,
  verify: () => ({ kind: 'refused', code: 'credential_unknown', reason: 'no JWTs are issued or declared here' }),
}
