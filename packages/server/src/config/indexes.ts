import type { Config } from './config.ts'

/** Dense numbers of APIs and routes: stable across reloads, never given twice in a process. */
export interface Indexes {
  ofApi(api: string): number
  ofRoute(api: string, route: string): number
  next(): Config['nextIndex']
}

export function createIndexes(previous: Config | null): Indexes {
  const next = { api: previous?.nextIndex.api ?? 0, route: previous?.nextIndex.route ?? 0 }
  const known = previous?.declaration.apis
  return {
    ofApi: (api) => known?.get(api)?.index ?? next.api++,
    ofRoute: (api, route) => {
      const before = known?.get(api)
      const same = before?.routes.routes.find(({ id }) => id === route)
      const unmatched = before?.unmatchedRoute.id === route ? before.unmatchedRoute : undefined
      return (same ?? unmatched)?.index ?? next.route++
    },
    next: () => ({ ...next }),
  }
}
