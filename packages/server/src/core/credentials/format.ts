import { base62Alphabet, encodeBase62, randomBase62 } from '../../base/base62.ts'
import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import type { Environment } from '../apis/api.ts'
import type { TokenKind } from '../tokens/token.ts'
import type { CredentialKind } from './credential.ts'

/**
 * Keys on the wire (design, section 3): `{brand}_{sk|pk|ik|mk}_{live|test}_{id12}{secret32}{crc6}` over 0-9A-Za-z,
 * crc = CRC-32/ISO-HDLC of all ASCII bytes before it, in base 62, left-padded with `0`. Test vector:
 * `acme_sk_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh2wDaRH`, the checksum being its last six characters.
 */
const keyLetters = { secret: 'sk', publishable: 'pk', integration: 'ik', management: 'mk' } as const satisfies Record<
  KeyKind,
  string
>
const kindOf = new Map<string, KeyKind>([
  ['sk', 'secret'],
  ['pk', 'publishable'],
  ['ik', 'integration'],
  ['mk', 'management'],
])

/** Kinds whose credentials are keys (or pairs). An OAuth client proves itself by a client secret. */
export type KeyKind = Exclude<CredentialKind, 'oauth_client'>

/**
 * What is no key: `{brand}_{at|rt|ac|cs}_{secret43}{crc6}`, 256 random bits under the same checksum. Test vector:
 * `acme_at_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg4cZD9C`.
 */
const tokenLetters = { access: 'at', refresh: 'rt', code: 'ac', client_secret: 'cs' } as const satisfies Record<
  TokenClass,
  string
>
const tokenClassOf = new Map<string, TokenClass>([
  ['at', 'access'],
  ['rt', 'refresh'],
  ['ac', 'code'],
  ['cs', 'client_secret'],
])

export type TokenClass = TokenKind | 'client_secret'

const idLength = 12
const secretLength = 32
const checksumLength = 6
const keyBodyLength = idLength + secretLength + checksumLength
const tokenSecretLength = 43
const tokenBodyLength = tokenSecretLength + checksumLength

/** Longest credential that is looked at; anything longer is malformed. */
const presentedLengthMax = 1024
/** A JWT carries what it says about itself. */
const jwtLengthMax = 8192

export function makeKey(input: {
  readonly brand: string
  readonly kind: KeyKind
  readonly environment: Environment
  readonly publicId: string
  readonly random: Random
}): Secret {
  const mode = input.environment === 'live' ? 'live' : 'test'
  const start = `${input.brand}_${keyLetters[input.kind]}_${mode}_${input.publicId}`
  const unchecked = start + randomBase62(secretLength, input.random)
  return new Secret(unchecked + checksum(unchecked))
}

/** An opaque token, an authorization code or the secret of an OAuth client. */
export function makeToken(input: {
  readonly brand: string
  readonly token: TokenClass
  readonly random: Random
}): Secret {
  const unchecked = `${input.brand}_${tokenLetters[input.token]}_${randomBase62(tokenSecretLength, input.random)}`
  return new Secret(unchecked + checksum(unchecked))
}

/** Id and secret of a pair, each UUIDv4-shaped or base62; both from the random source, never from a clock. */
export function makePair(shape: 'uuid' | 'base62', random: Random): { publicId: string; secret: Secret } {
  const part = (length: number) => (shape === 'uuid' ? uuid(random) : randomBase62(length, random))
  return { publicId: part(20), secret: new Secret(part(tokenSecretLength)) }
}

export type KeyShape =
  | { readonly shape: 'key'; readonly kind: KeyKind; readonly environment: Environment; readonly publicId: string }
  | { readonly shape: TokenClass }
  /** Three parts of base64url, the first of which can be the JSON of a header. */
  | { readonly shape: 'jwt' }
  /** Not of our brand: perhaps imported. */
  | { readonly shape: 'foreign' }
  /** Our brand, but cut off, mistyped or of another class. */
  | { readonly shape: 'malformed' }

export type ShapeClass = KeyShape['shape']

/** Reads what was presented without any look-up. `brands` are the brand and the former ones. */
export function parseKey(text: string, brands: readonly string[]): KeyShape {
  const end = ourPrefixLength(text, brands)
  if (end === 0) return { shape: isJwt(text) ? 'jwt' : 'foreign' }
  const letters = text.slice(end, end + 2)
  const token = tokenClassOf.get(letters)
  if (token !== undefined)
    return { shape: text[end + 2] === '_' && isChecked(text, end + 3, tokenBodyLength) ? token : 'malformed' }
  const kind = kindOf.get(letters)
  const mode = text.slice(end + 2, end + 8)
  if (kind === undefined || (mode !== '_live_' && mode !== '_test_') || !isChecked(text, end + 8, keyBodyLength))
    return { shape: 'malformed' }
  return {
    shape: 'key',
    kind,
    environment: mode === '_live_' ? 'live' : 'sandbox',
    publicId: text.slice(end + 8, end + 8 + idLength),
  }
}

/** As `parseKey`, without allocating: for the hot path. */
export function classifyKey(text: string, brands: readonly string[]): ShapeClass {
  const end = ourPrefixLength(text, brands)
  if (end === 0) return isJwt(text) ? 'jwt' : 'foreign'
  const first = text.charCodeAt(end)
  if (text.charCodeAt(end + 1) === letterK) return isKeyAt(text, end, first) ? 'key' : 'malformed'
  return isToken(text, end) ? tokenClassAt(first, text.charCodeAt(end + 1)) : 'malformed'
}

/** Length of `{brand}_` where the text starts with it, else 0. */
function ourPrefixLength(text: string, brands: readonly string[]): number {
  for (const brand of brands) {
    if (text.charCodeAt(brand.length) === underscore && text.startsWith(brand)) return brand.length + 1
  }
  return 0
}

function isKeyAt(text: string, end: number, kind: number): boolean {
  if (kind !== 0x73 && kind !== 0x70 && kind !== 0x69 && kind !== 0x6d) return false
  if (!text.startsWith('_live_', end + 2) && !text.startsWith('_test_', end + 2)) return false
  return isChecked(text, end + 8, keyBodyLength)
}

function isToken(text: string, end: number): boolean {
  return text.charCodeAt(end + 2) === underscore && isChecked(text, end + 3, tokenBodyLength)
}

function tokenClassAt(first: number, second: number): TokenClass | 'malformed' {
  if (second === letterT) return first === letterA ? 'access' : first === letterR ? 'refresh' : 'malformed'
  if (first === letterA && second === letterC) return 'code'
  return first === letterC && second === letterS ? 'client_secret' : 'malformed'
}

const underscore = 0x5f
const [letterA, letterC, letterK, letterR, letterS, letterT] = [0x61, 0x63, 0x6b, 0x72, 0x73, 0x74]

/** Whether from `body` on there are `length` characters of base 62, the last six the checksum of all before them. */
function isChecked(text: string, body: number, length: number): boolean {
  if (text.length !== body + length) return false
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

/**
 * A JWS in compact form (RFC 7515, section 3.1), by its looks: base64url of `{` and of what may follow it in JSON
 * begins with `e`. The last part is empty where there is no signature.
 */
function isJwt(text: string): boolean {
  if (text.charCodeAt(0) !== 0x65) return false
  let dots = 0
  let part = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      if (part === 0 || ++dots > 2) return false
      part = 0
    } else if (isBase64url[code] === 1) part++
    else return false
  }
  return dots === 2
}

/** Of any brand, the checksum not looked at. */
export function looksLikeToken(text: string): boolean {
  return /^[a-z][a-z0-9]{1,11}_at_[0-9A-Za-z]{49}$/.test(text)
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
const isBase64url = isBase62.map((is, code) => (code === 0x2d || code === underscore ? 1 : is))

function uuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/**
 * Visible ASCII only, no spaces, 1 to 1,024 characters, a JWT up to 8,192: whatever else was sent cannot be a
 * credential. Nothing is trimmed and nothing normalised.
 */
export function isPresentable(text: string): boolean {
  if (text.length === 0 || text.length > presentedLengthMax) return text.length <= jwtLengthMax && isJwt(text)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}
