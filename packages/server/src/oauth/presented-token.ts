import { sha256 } from '../base/digest.ts'
import { classifyKey } from '../core/credentials/format.ts'
import type { OAuthParts } from './parts.ts'

/** Digest of what can be a token of ours; null: it cannot, and nothing needs to be looked up. */
export function tokenDigest({ declaration }: OAuthParts, text: string): Uint8Array | null {
  const { brand, formerBrands } = declaration()
  const shape = classifyKey(text, [brand, ...formerBrands])
  return shape === 'access' || shape === 'refresh' || shape === 'jwt' ? sha256(text) : null
}
