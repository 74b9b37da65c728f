import { sha256 } from '../base/digest.ts'
import { classifyKey, type ShapeClass } from '../core/credentials/format.ts'
import type { OAuthParts } from './parts.ts'

/** A wrong checksum costs no look-up. */
export function shapeOf({ declaration }: OAuthParts, text: string): ShapeClass {
  const { brand, formerBrands } = declaration()
  return classifyKey(text, [brand, ...formerBrands])
}

/** Digest of what can be a token of ours; null: it cannot, and nothing needs to be looked up. */
export function tokenDigest(parts: OAuthParts, text: string): Uint8Array | null {
  const shape = shapeOf(parts, text)
  return shape === 'access' || shape === 'refresh' || shape === 'jwt' ? sha256(text) : null
}
