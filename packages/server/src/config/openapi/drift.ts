import type { ConfigRoute } from '@postern/contract'

import type { Context } from '../context.ts'
import type { Path } from '../issue.ts'
import type { Operation } from './operations.ts'

/** Tells where the operator's routes say something else than the document: rarely meant, and never seen otherwise. */
export function noteDrift(
  own: readonly ConfigRoute[],
  operations: ReadonlyMap<string, Operation>,
  presetRoutes: ReadonlySet<string>,
  at: Path,
  { report }: Context,
): void {
  for (const [index, route] of own.entries()) {
    const operation = operations.get(route.id)
    const here = [...at, index]
    if (operation === undefined) {
      if (!presetRoutes.has(route.id)) report.note(here, `is not in the OpenAPI document`)
      continue
    }
    if (route.path !== undefined && route.path !== operation.pattern) {
      report.note([...here, 'path'], `differs from the OpenAPI document, where it is ${operation.pattern}`)
    }
    if (route.methods !== undefined && !sameNames(route.methods, operation.methods)) {
      report.note([...here, 'methods'], `differ from the OpenAPI document, where it is ${operation.methods.join(', ')}`)
    }
    const missing = droppedScopes(route, operation)
    if (missing.length > 0) {
      report.note([...here, 'scopes'], `leave out what the OpenAPI document asks for: ${missing.join(', ')}`)
    }
  }
}

/** Scopes without which the document lets nobody in, and the route does. */
function droppedScopes({ scopes }: ConfigRoute, operation: Operation): readonly string[] {
  if (scopes === undefined) return []
  const { all, any } = operation.scopes
  const named = [...(scopes.all ?? []), ...(scopes.any ?? [])]
  const dropped = all.filter(
    (scope) => !(scopes.all ?? []).includes(scope) && !(named.length === 1 && named[0] === scope),
  )
  const alternativesGone = any.length > 0 && named.length === 0
  return alternativesGone ? [...dropped, any.join(' or ')] : dropped
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return new Set([...a, ...b]).size === a.length && a.length === b.length
}
