import { fail, ok, type Result } from '../../base/result.ts'
import { decodeBase64url } from './base64url.ts'
import { type JsonObject, readStrictObject } from './strict-json.ts'

/** Longest JWT that is looked at, in characters. */
export const jwtLengthMax = 8_192

/** A JWT in compact serialization, taken apart; nothing of it is believed yet (RFC 7515, section 7.1). */
export interface Jwt {
  readonly header: JsonObject
  readonly claims: JsonObject
  /** What the signature is of. */
  readonly signed: string
  readonly signature: Buffer
}

/** The error says for the trace what it is instead. */
export function readJwt(text: string): Result<Jwt, string> {
  if (text.length > jwtLengthMax) return fail(`longer than ${jwtLengthMax} characters`)
  const parts = text.split('.', 6)
  if (parts.length === 5) return fail('encrypted, not signed')
  const [first = '', second = '', third = ''] = parts
  if (parts.length !== 3) return fail('not three parts')
  if (third === '') return fail('not signed')
  const signature = decodeBase64url(third)
  const header = readPart(first)
  const claims = readPart(second)
  if (signature === null || header === 'encoding' || claims === 'encoding') return fail('not plain base64url')
  if (header === 'json' || claims === 'json') return fail('not plain JSON objects')
  return ok({ header, claims, signed: text.slice(0, first.length + 1 + second.length), signature })
}

function readPart(part: string): JsonObject | 'encoding' | 'json' {
  const bytes = decodeBase64url(part)
  return bytes === null ? 'encoding' : (readStrictObject(bytes) ?? 'json')
}
