import { base62Alphabet, encodeBase62, randomBase62 } from '../../base/base62.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import type { Environment } from '../apis/api.ts'
import type { CredentialKind } from './credential.ts'

/**
 * Keys on the wire (design, section 3): `{brand}_{sk|pk|ik|mk}_{live|test}_{id12}{secret32}{crc6}` over 0-9A-Za-z,
 * crc = CRC-32/ISO-HDLC of all ASCII bytes before it, in base 62, left-padded with `0`. Test vector:
 * `acme_sk_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh2wDaRH`, the checksum being its last six characters.
 */
const letters = { secret: 'sk', publishable: 'pk', integration: 'ik', management: 'mk' } as const satisfies Record<
  CredentialKind,
  string
>
const kindOf = new Map<string, CredentialKind>([
  ['sk', 'secret'],
  ['pk', 'publishable'],
  ['ik', 'integration'],
  ['mk', 'management'],
])

const idLength = 12
const secretLength = 32
const checksumLength = 6
const bodyLength = idLength + secretLength + checksumLength

/** Longest credential that is looked at; anything longer is malformed. */
const presentedLengthMax = 1024

export function makeKey(input: {
  readonly brand: string
  readonly kind: CredentialKind
  readonly environment: Environment
  readonly publicId: string
  readonly random: Random
}): Secret {
  const mode = input.environment === 'live' ? 'live' : 'test'
  const start = `${input.brand}_${letters[input.kind]}_${mode}_${input.publicId}`
  const unchecked = start + randomBase62(secretLength, input.random)
  return new Secret(unchecked + checksum(unchecked))
}

/** Id and secret of a pair, each UUIDv4-shaped or base62; both from the random source, never from a clock. */
export function makePair(shape: 'uuid' | 'base62', random: Random): { publicId: string; secret: Secret } {
  const part = (length: number) => (shape === 'uuid' ? uuid(random) : randomBase62(length, random))
  return { publicId: part(20), secret: new Secret(part(43)) }
}

export type KeyShape =
  | {
      readonly shape: 'ours'
      readonly kind: CredentialKind
      readonly environment: Environment
      readonly publicId: string
    }
  /** Not of our brand: perhaps imported. */
  | { readonly shape: 'foreign' }
  /** Our brand, but cut off, mistyped or of another class. */
  | { readonly shape: 'malformed' }

/** Reads a presented key without any look-up. `brands` are the brand and the former ones. */
export function parseKey(text: string, brands: readonly string[]): KeyShape {
  const end = ourPrefixLength(text, brands)
  if (end === 0) return { shape: 'foreign' }
  const kind = kindOf.get(text.slice(end, end + 2))
  const mode = text.slice(end + 2, end + 8)
  if (kind === undefined || (mode !== '_live_' && mode !== '_test_') || !isOurs(text, end))
    return { shape: 'malformed' }
  return {
    shape: 'ours',
    kind,
    environment: mode === '_live_' ? 'live' : 'sandbox',
    publicId: text.slice(end + 8, end + 8 + idLength),
  }
}

export type ShapeClass = 'ours' | 'foreign' | 'malformed'

/** As `parseKey`, without allocating: for the hot path. */
export function classifyKey(text: string, brands: readonly string[]): ShapeClass {
  const end = ourPrefixLength(text, brands)
  if (end === 0) return 'foreign'
  return isOurs(text, end) ? 'ours' : 'malformed'
}

/** Length of `{brand}_` where the text starts with it, else 0. */
function ourPrefixLength(text: string, brands: readonly string[]): number {
  for (const brand of brands) {
    if (text.charCodeAt(brand.length) === 0x5f && text.startsWith(brand)) return brand.length + 1
  }
  return 0
}

function isOurs(text: string, end: number): boolean {
  if (text.length !== end + 8 + bodyLength) return false
  const kind = text.charCodeAt(end)
  if (text.charCodeAt(end + 1) !== 0x6b || (kind !== 0x73 && kind !== 0x70 && kind !== 0x69 && kind !== 0x6d))
    return false
  if (!text.startsWith('_live_', end + 2) && !text.startsWith('_test_', end + 2)) return false
  const body = end + 8
  const checked = text.length - checksumLength
  let crc = -1
  for (let i = 0; i < body; i++) crc = (crcTable[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0) ^ (crc >>> 8)
  let allBase62 = 1
  for (let i = body; i < checked; i++) {
    const code = text.charCodeAt(i)
    allBase62 &= isBase62[code] ?? 0
    crc = (crcTable[(crc ^ code) & 0xff] ?? 0) ^ (crc >>> 8)
  }
  if (allBase62 === 0) return false
  let rest = (crc ^ -1) >>> 0
  for (let i = text.length - 1; i >= checked; i--) {
    // By division, because % of numbers above 2^31 is several times slower.
    const high = Math.floor(rest / 62)
    if (text.charCodeAt(i) !== base62Codes[rest - high * 62]) return false
    rest = high
  }
  return true
}

/** CRC-32/ISO-HDLC of ASCII text in base 62, six characters. */
export function checksum(text: string): string {
  let crc = -1
  for (let i = 0; i < text.length; i++) crc = (crcTable[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0) ^ (crc >>> 8)
  return encodeBase62((crc ^ -1) >>> 0, checksumLength)
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

const base62Codes = Uint8Array.from(base62Alphabet, (letter) => letter.charCodeAt(0))

const isBase62 = Uint8Array.from({ length: 128 }, (_, code) => (base62Codes.includes(code) ? 1 : 0))

function uuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Visible ASCII only, no spaces, 1 to 1,024 characters: whatever else was sent cannot be a credential.
 * Nothing is trimmed and nothing normalised.
 */
export function isPresentable(text: string): boolean {
  if (text.length === 0 || text.length > presentedLengthMax) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}
