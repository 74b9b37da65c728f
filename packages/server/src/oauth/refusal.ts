import type { Code } from '@postern/contract'

/** Why an endpoint refuses, with what its answer may say beyond the code's row. */
export interface OAuthRefusal {
  readonly code: Code
  /** One more sentence for the caller. Never a secret, an allowed value, or whether something exists. */
  readonly hint: string | null
  readonly retryAfterMs: number | null
  /** The parameter that is missing, if that is all. */
  readonly missing: string | null
  readonly badScopes: readonly string[]
  /** For 405. */
  readonly allowMethods: readonly string[]
}

export function oauthRefusal(code: Code, more: Partial<Omit<OAuthRefusal, 'code'>> = {}): OAuthRefusal {
  return { code, hint: null, retryAfterMs: null, missing: null, badScopes: [], allowMethods: [], ...more }
}
