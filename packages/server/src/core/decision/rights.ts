import { managementApiId } from '../accounts/account.ts'
import type { Api, Plan, ScopeRule } from '../apis/api.ts'
import { summedUp, withImplied } from '../apis/implied-scopes.ts'
import type { MemberRole } from '../people/member.ts'
import type { Profile } from '../records/table.ts'
import type { HeldToken } from '../tokens/held-token.ts'
import type { DerivedRights, Rights, TokenSources } from './held-rights.ts'

/** Of one list of scopes, from different sources. */
const derivedMax = 64

/**
 * Rights are derived live, so that what a plan or a role loses, every credential loses at once; derived once for
 * each combination of profile, plan and API. A reload makes new plans and APIs, so nothing old is ever found.
 */
export class RightsCache {
  readonly #known = new WeakMap<Plan, WeakMap<Api, Rights[]>>()
  readonly #ofMembers = new WeakMap<Plan, WeakMap<Api, Partial<Record<MemberRole, Rights>>>>()
  readonly #ofTokens = new WeakMap<readonly string[], DerivedRights[]>()
  /** The list that was asked for last: mostly the next request asks for the same. */
  #last: { readonly plan: Plan; readonly api: Api; readonly byProfile: Rights[] } | null = null

  of(profile: Profile, plan: Plan, api: Api): Rights {
    const last = this.#last
    const byProfile = last?.plan === plan && last.api === api ? last.byProfile : this.#known.get(plan)?.get(api)
    return byProfile?.[profile.number] ?? this.#derive(profile, plan, api)
  }

  /** What a member of a role may let a client do, within the plan of the member's account. */
  ofMember(role: MemberRole, plan: Plan, api: Api): Rights {
    const ofPlan = this.#ofMembers.get(plan) ?? new WeakMap<Api, Partial<Record<MemberRole, Rights>>>()
    this.#ofMembers.set(plan, ofPlan)
    const byRole = ofPlan.get(api) ?? {}
    ofPlan.set(api, byRole)
    return (byRole[role] ??= rightsOf({ scopes: api.memberScopes[role], role: null }, plan, api))
  }

  /**
   * What a token may do now: of the scopes that it was granted, and what they imply, what each of those that it was
   * derived from still has. Kept with the token for as long as all of these are the same.
   */
  ofToken(token: HeldToken, granted: readonly string[], from: TokenSources): Rights {
    if (token.derived === null || !isFrom(token.derived, from)) token.derived = this.#derivedFrom(granted, from)
    return token.derived.rights
  }

  /** Tokens of many credentials carry the same scopes: what was derived for one of them is that of all. */
  #derivedFrom(granted: readonly string[], from: TokenSources): DerivedRights {
    const ofScopes = this.#ofTokens.get(granted) ?? []
    this.#ofTokens.set(granted, ofScopes)
    const known = ofScopes.find((each) => isFrom(each, from))
    if (known !== undefined) return known
    if (ofScopes.length >= derivedMax) ofScopes.length = 0
    const made = { ...from, rights: derived(granted, from) }
    ofScopes.push(made)
    return made
  }

  #derive(profile: Profile, plan: Plan, api: Api): Rights {
    const ofPlan = this.#known.get(plan) ?? new WeakMap<Api, Rights[]>()
    this.#known.set(plan, ofPlan)
    const byProfile = ofPlan.get(api) ?? []
    ofPlan.set(api, byProfile)
    this.#last = { plan, api, byProfile }
    return (byProfile[profile.number] = rightsOf(profile, plan, api))
  }
}

export function rightsOf(profile: Pick<Profile, 'scopes' | 'role'>, plan: Plan, api: Api): Rights {
  const role = profile.role === null ? [] : (api.roles.get(profile.role) ?? [])
  const own = [...profile.scopes, ...role]
  const ceiling = api.id === managementApiId ? null : plan.scopes
  if (!own.includes('*')) return within(own, ceiling, api)
  return ceiling === null ? { scopes: ['*'], holds: () => true } : within([...ceiling], null, api)
}

/** Of the scopes and what they imply, what the ceiling and what it implies has too. */
function within(scopes: readonly string[], ceiling: ReadonlySet<string> | null, api: Api): Rights {
  const all = withImplied(scopes, api.implies)
  if (ceiling === null) return { scopes: [...new Set(scopes)], holds: (scope) => all.has(scope) }
  const highest = withImplied(ceiling, api.implies)
  const held = new Set([...all].filter((scope) => highest.has(scope)))
  return { scopes: summedUp(held, scopes, api.implies), holds: (scope) => held.has(scope) }
}

function derived(granted: readonly string[], { api, client, grant, member }: TokenSources): Rights {
  const held = new Set(
    [...withImplied(granted, api.implies)].filter(
      (scope) => client.holds(scope) && (grant?.holds(scope) ?? true) && (member?.holds(scope) ?? true),
    ),
  )
  return { scopes: summedUp(held, granted, api.implies), holds: (scope) => held.has(scope) }
}

function isFrom(known: DerivedRights, { api, client, grant, member }: TokenSources): boolean {
  return known.api === api && known.client === client && known.grant === grant && known.member === member
}

/** The scopes that are missing; none where the rule is met. Of `any`, all are named: one of them would do. */
export function missingScopes(rule: ScopeRule, rights: Rights): readonly string[] {
  let missing = none
  for (const scope of rule.all) if (!rights.holds(scope)) missing = [...missing, scope]
  if (rule.any.length === 0) return missing
  for (const scope of rule.any) if (rights.holds(scope)) return missing
  return [...missing, ...rule.any]
}

const none: readonly string[] = []
