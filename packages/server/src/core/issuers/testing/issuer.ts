import { type FixedClock, fixedClock } from '../../../base/clock.ts'
import { noIpRanges } from '../../../base/ip.ts'
import { seededRandom } from '../../../base/random.ts'
import { aSigner, type Signer } from '../../jose/testing/signer.ts'
import type { OutboundAnswer, OutboundRequest } from '../../outbound.ts'
import { digestWords } from '../../records/digest-words.ts'
import { noon } from '../../testing/world.ts'
import type { Instant, JwtVerdict } from '../../tokens/jwt-verifier.ts'
import type { Issuer, IssuerApi } from '../issuer.ts'
import { createIssuers, type Issuers, type OwnIssuer } from '../verifier.ts'

export const issuerUrl = 'https://login.corp.example'

/** `corp`, whose tokens for https://api.example.com act at the API `shop`. */
export function anIssuer(fields: Partial<Issuer> = {}): Issuer {
  return {
    id: 'corp',
    issuer: issuerUrl,
    jwksUri: new URL('https://login.corp.example/keys'),
    algorithms: new Set(['ES256', 'RS256']),
    types: new Set(['at+jwt']),
    credential: 'cred_0000000000aa',
    apis: new Map([['shop', anIssuerApi()]]),
    subject: ['sub'],
    scopesClaim: ['scope'],
    rolesClaim: ['roles'],
    requiredClaims: [],
    clockSkewMs: 30_000,
    maxAgeMs: null,
    allowedPrivate: noIpRanges,
    ...fields,
  }
}

export function anIssuerApi(fields: Partial<IssuerApi> = {}): IssuerApi {
  return {
    audience: new Set(['https://api.example.com']),
    scopes: new Map([
      ['read', ['orders.read']],
      ['all', ['orders.read', 'refunds.write']],
    ]),
    roles: new Map([['clerk', ['orders.read']]]),
    ...fields,
  }
}

const noonSeconds = noon / 1_000

/** Of a token that is good at noon and for ten minutes. */
export function theClaims(fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    iss: issuerUrl,
    aud: 'https://api.example.com',
    sub: 'alice',
    client_id: 'nightly',
    jti: 'j1',
    scope: 'read',
    iat: noonSeconds,
    exp: noonSeconds + 600,
    ...fields,
  }
}

export interface IssuerWorld {
  readonly clock: FixedClock
  readonly issuers: Issuers
  /** What is asked of the world outside; answered by `answer`. */
  readonly asked: readonly OutboundRequest[]
  readonly told: readonly string[]
  readonly verify: (text: string) => JwtVerdict
  /** As `resolve` does: waits for keys once. */
  readonly settled: (text: string) => Promise<JwtVerdict>
  readonly known: (text: string) => JwtVerdict | null
}

/** The issuers with keys that an answer holds, on a clock that stands at noon. */
export function anIssuerWorld(
  parts: {
    readonly issuers?: readonly Issuer[]
    readonly signers?: readonly Signer[]
    readonly answer?: (request: OutboundRequest) => OutboundAnswer | Promise<OutboundAnswer>
    readonly own?: OwnIssuer
  } = {},
): IssuerWorld {
  const clock = fixedClock(noon)
  const { signers = [aSigner()], answer = () => keysOf(signers) } = parts
  const asked: OutboundRequest[] = []
  const told: string[] = []
  const issuers = createIssuers({
    clock,
    random: seededRandom(7),
    outbound: {
      send: async (request) => {
        asked.push(request)
        return await answer(request)
      },
    },
    tell: (event, fields) => void told.push(JSON.stringify({ event, ...fields })),
    own: parts.own ?? null,
  })
  issuers.use(parts.issuers ?? [anIssuer()])
  const at = (): Instant => ({ now: clock.now(), monotonic: clock.monotonic() })
  const verify = (text: string) => issuers.verify(text, wordsOf(text), at())
  return {
    clock,
    issuers,
    asked,
    told,
    verify,
    settled: async (text) => {
      const first = verify(text)
      if (first.kind !== 'pending') return first
      await first.fetched
      return verify(text)
    },
    known: (text) => issuers.known(wordsOf(text), at()),
  }
}

export function keysOf(
  signers: readonly Pick<Signer, 'jwk'>[],
  headers: Readonly<Record<string, string>> = {},
): OutboundAnswer {
  return answered(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }), headers)
}

export function answered(body: string, headers: Readonly<Record<string, string>> = {}, status = 200): OutboundAnswer {
  return { kind: 'answered', status, header: (name) => headers[name] ?? null, body, cut: false }
}

function wordsOf(text: string): Int32Array {
  const words = new Int32Array(8)
  digestWords(text, words)
  return words
}
