import type { Api, Plan } from '../apis/api.ts'
import { rightsOf } from '../decision/rights.ts'
import type { MemberRole } from '../people/member.ts'

/**
 * Of the scopes that are asked for, those that a member of this role may allow a client on this API, within the plan of
 * the member's account. What people are shown and what is granted are both this.
 */
export function allowable(
  scopes: readonly string[],
  { api, plan, role }: { readonly api: Api; readonly plan: Plan; readonly role: MemberRole },
): readonly string[] {
  if (!plan.apis.has(api.id)) return []
  const rights = rightsOf({ scopes: api.memberScopes[role], role: null }, plan, api)
  return scopes.filter((scope) => rights.holds(scope))
}
