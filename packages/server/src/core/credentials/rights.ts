import type { Plan } from '../apis/api.ts'

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

/** The scopes of `wanted` that the plan does not include. `*` stands for what the plan includes, so it always fits. */
export function beyondPlan(plan: Plan, wanted: readonly string[]): readonly string[] {
  const { scopes } = plan
  return scopes === null ? [] : wanted.filter((scope) => scope !== '*' && !scopes.has(scope))
}
