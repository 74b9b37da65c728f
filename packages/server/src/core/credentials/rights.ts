import type { Api, Plan } from '../apis/api.ts'
import { withImplied } from '../apis/implied-scopes.ts'

/**
 * Rights are names such as `credentials.read` or `orders.read`. Whoever holds `*` holds all of them, and
 * `credentials.*` stands for every right whose name begins with `credentials.`.
 */
export function holds(held: readonly string[], right: string): boolean {
  return held.some((own) => own === '*' || own === right || (own.endsWith('.*') && right.startsWith(own.slice(0, -1))))
}

/** The scopes of `wanted` that go beyond `held`. */
export function beyond(held: readonly string[], wanted: readonly string[]): readonly string[] {
  return wanted.filter((scope) => !holds(held, scope))
}

/**
 * The scopes of `wanted` that the plan does not include on any of these APIs. `*` stands for what the plan includes, so
 * it always fits.
 */
export function beyondPlan(plan: Plan, wanted: readonly string[], apis: readonly Api[]): readonly string[] {
  const { scopes } = plan
  if (scopes === null) return []
  const ceilings = apis.map(({ implies }) => withImplied(scopes, implies))
  return wanted.filter((scope) => scope !== '*' && !ceilings.some((ceiling) => ceiling.has(scope)))
}
