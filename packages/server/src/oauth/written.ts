import type { Code } from '@postern/contract'

import { fail, ok, type Result } from '../base/result.ts'
import type { Committed, WriteRefusal } from '../core/store.ts'
import type { OAuthParts } from './parts.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** A commit holds on this node before anybody is answered. */
export function committed<Value>(
  { apply }: OAuthParts,
  result: Result<Committed<Value>, WriteRefusal>,
  /** What there turned out not to be, or not to be any more. */
  gone: Code,
): Result<Value, OAuthRefusal> {
  if (!result.ok) return fail(refusalOf(result.error, gone))
  const { value, changes, sequence } = result.value
  apply(changes, sequence)
  return ok(value)
}

function refusalOf({ code }: WriteRefusal, gone: Code): OAuthRefusal {
  switch (code) {
    case 'storage_full':
      return oauthRefusal('storage_full')
    case 'actor_dead':
      return oauthRefusal('credential_revoked')
    case 'conflict':
    case 'not_found':
      return oauthRefusal(gone)
    case 'version_mismatch':
      throw new Error('tokens have no versions')
  }
}
