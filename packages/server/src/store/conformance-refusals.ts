import { expect } from 'vitest'

export const notFound = { ok: false, error: { code: 'not_found' } } as const

/** A refusal whose sentence says this. */
export const conflict = (what: RegExp): unknown => ({
  ok: false,
  error: { code: 'conflict', what: expect.stringMatching(what) as unknown },
})
