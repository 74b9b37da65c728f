import type { Clock } from '../base/clock.ts'
import { Secret } from '../base/secret.ts'
import type { PeopleSealing } from '../core/people/sealing.ts'

/** What a hidden field holds: texts by name. */
export type Held = Readonly<Record<string, string>>

/**
 * State between two pages travels in the form, sealed: nobody can read, change or make it. It opens only for the same
 * purpose and for whom it was made: the session, or the browser where nobody is signed in. So it is the token against
 * forged requests as well, and what was begun in one browser cannot be ended from another (statement 13).
 */
export interface Forms {
  seal(purpose: string, holder: string, held: Held, lifeMs: number): string
  open(purpose: string, holder: string, field: string | null): Opened
}

export type Opened =
  | { readonly kind: 'good'; readonly held: Held }
  /** It is ours, but has been open for too long. */
  | { readonly kind: 'late'; readonly held: Held }
  | { readonly kind: 'foreign' }

export function createForms(sealing: PeopleSealing, clock: Clock): Forms {
  return {
    seal: (purpose, holder, held, lifeMs) => {
      const now = clock.now()
      const text = JSON.stringify({ until: now + lifeMs, held })
      return sealing.sealText(new Secret(text), purposeFor(purpose, holder), now)
    },
    open: (purpose, holder, field) => {
      const text = field === null ? null : sealing.openText(field, purposeFor(purpose, holder))
      if (text === null) return { kind: 'foreign' }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what opens was written by `seal`
      const { until, held } = JSON.parse(text.reveal()) as { readonly until: number; readonly held: Held }
      return { kind: clock.now() < until ? 'good' : 'late', held }
    },
  }
}

const purposeFor = (purpose: string, holder: string): string => JSON.stringify([purpose, holder])
