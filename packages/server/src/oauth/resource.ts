import { fail, ok, type Result } from '../base/result.ts'
import { managementApiId } from '../core/accounts/account.ts'
import type { Api, Declaration } from '../core/apis/api.ts'
import type { Client } from '../core/decision/clients.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/**
 * The one API that a token is for (RFC 8707): the one that is named, the one at whose address the request came, or the
 * only one that the client has.
 */
export function chosenApi(
  declaration: Declaration,
  { apis }: Pick<Client, 'apis'>,
  here: Api | null,
  resource: string | undefined,
): Result<Api, OAuthRefusal> {
  if (resource !== undefined) {
    const named = apiOfResource(declaration, resource)
    const fits = named !== null && apis.has(named.id) && (here === null || here === named)
    return fits ? ok(named) : fail(oauthRefusal('resource_invalid'))
  }
  // Whether the client has it is for the checks, which tell it so.
  if (here !== null) return ok(here)
  const [only, another] = [...apis].flatMap((id) => (id === managementApiId ? [] : (declaration.apis.get(id) ?? [])))
  return only === undefined || another !== undefined ? fail(oauthRefusal('resource_invalid')) : ok(only)
}

export function apiOfResource(declaration: Declaration, resource: string): Api | null {
  let known = byResource.get(declaration)
  if (known === undefined) {
    known = new Map([...declaration.apis.values()].flatMap((api) => api.oauth.resources.map((each) => [each, api])))
    byResource.set(declaration, known)
  }
  return known.get(resource) ?? null
}

/** For as long as the declaration is in force. */
const byResource = new WeakMap<Declaration, ReadonlyMap<string, Api>>()
