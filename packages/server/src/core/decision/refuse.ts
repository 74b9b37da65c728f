import type { Code } from '@postern/contract'

import type { Refusal } from './evaluation.ts'

/** A refusal with what its answer may say beyond the code's row. */
export function refuse(code: Code, more: Partial<Omit<Refusal, 'code'>> = {}): Refusal {
  return { code, hint: null, retryAfterMs: null, missingScopes: [], allowMethods: [], limit: null, ...more }
}
