import { fail, ok, type Result } from '../base/result.ts'
import type { Api } from '../core/apis/api.ts'
import type { Rights } from '../core/decision/held-rights.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** What was asked for, each scope once and by its name; all that may be had where nothing was (RFC 6749, section 3.3). */
export function requestedScopes(
  requested: string | undefined,
  all: readonly string[],
  mayHave: (scope: string) => boolean,
): Result<readonly string[], OAuthRefusal> {
  if (requested === undefined) return ok(all)
  const scopes = [...new Set(requested.split(' ').filter((scope) => scope !== ''))]
  const badScopes = scopes.filter((scope) => !mayHave(scope))
  if (badScopes.length > 0 || scopes.length === 0) return fail(oauthRefusal('scope_invalid', { badScopes }))
  return ok(scopes)
}

/** Every scope of the API that these rights carry by themselves, `*` spelled out. */
export function allScopes(api: Api, rights: Rights): readonly string[] {
  return rights.scopes.includes('*') ? [...api.scopes.keys()] : rights.scopes.filter((scope) => api.scopes.has(scope))
}

/** Declared by the API, and held. */
export function within(api: Api, rights: Rights): (scope: string) => boolean {
  return (scope) => api.scopes.has(scope) && rights.holds(scope)
}
