import type { Account, Project } from '../../core/accounts/account.ts'
import { allowable } from '../../core/grants/allowance.ts'
import type { AuthorizationRequest } from '../../core/oauth/authorization.ts'
import type { MemberRole } from '../../core/people/member.ts'
import type { Context } from '../context.ts'

/** Of one account. */
const projectsMax = 100

/** A project for which this person may allow something of what is asked. */
export interface Place {
  readonly account: Account
  readonly project: Project
  readonly role: MemberRole
  /** Of those asked for, what may be allowed here. */
  readonly scopes: readonly string[]
}

/** Why there is no such project, as far as the person concerned may know. */
export type Nowhere = 'no_account' | 'plan' | 'role'

export interface Places {
  readonly places: readonly Place[]
  readonly nowhere: Nowhere
  /** Names of accounts that have more projects than are told. */
  readonly cut: readonly string[]
}

/** Everywhere that the person may allow something, account by account. */
export async function placesFor(context: Context, user: string, asked: AuthorizationRequest): Promise<Places> {
  const { people, accounts, projects } = context.store
  const { plans } = context.declaration()
  const places: Place[] = []
  const cut: string[] = []
  let nowhere: Nowhere = 'no_account'
  for (const { account: id, role } of await people.membershipsOf({ user })) {
    const account = await accounts.find({ id })
    const plan = account === null ? undefined : plans.get(account.plan)
    if (account === null || plan === undefined || account.state !== 'active') continue
    const scopes = allowable(asked.scopes, { api: asked.api, plan, role })
    if (scopes.length === 0) {
      if (nowhere !== 'role') nowhere = plan.apis.has(asked.api.id) ? 'role' : 'plan'
      continue
    }
    const { items, next } = await projects.list({ account: id, scope: id, limit: projectsMax, after: null })
    if (next !== null) cut.push(account.name)
    // Oldest first: an account's own default project stands at the top.
    const served = items.filter(({ environment }) => asked.api.upstreams[environment] !== null).toReversed()
    places.push(...served.map((project) => ({ account, project, role, scopes })))
  }
  return { places, nowhere, cut }
}

/** The one that was chosen; null: it is not this person's, or not any more. */
export async function placeOf(
  context: Context,
  user: string,
  asked: AuthorizationRequest,
  chosen: { readonly account: string; readonly project: string },
): Promise<Place | null> {
  const { people, accounts, projects } = context.store
  const member = (await people.membershipsOf({ user })).find(({ account }) => account === chosen.account)
  const account = member === undefined ? null : await accounts.find({ id: member.account })
  const plan = account === null ? undefined : context.declaration().plans.get(account.plan)
  if (member === undefined || account === null || plan === undefined) return null
  const project = await projects.find({ id: chosen.project, scope: account.id })
  const scopes = allowable(asked.scopes, { api: asked.api, plan, role: member.role })
  return project === null || scopes.length === 0 ? null : { account, project, role: member.role, scopes }
}
