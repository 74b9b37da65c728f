import type { Accept, Place, Preset, PresetRoute, ScopeRule } from '../core/apis/api.ts'

/** What most vendors have in common; a preset says only where it differs. */
export const common = {
  form: 'key',
  pairShape: 'base62',
  whenTwo: 'refuse',
  scopes: {},
  includes: {},
  roles: {},
  routes: [],
  unmatched: 'refuse',
  defaultPairs: [],
  window: () => 'once',
  wildcardOrigin: false,
  errorBody: null,
  errorHeaders: null,
  injectionPlace: { in: 'bearer' },
  llm: null,
  oauth: { endpoints: [], fromKeys: false },
  limitHeaders: null,
} as const satisfies Partial<Preset>

export function bearer(accept: readonly Accept[]): Place {
  return { in: 'bearer', accept, kinds: null }
}

export const basic: Place = { in: 'basic', accept: ['key'], kinds: null }

export function header(name: string): Place {
  return { in: 'header', name: name.toLowerCase(), accept: ['key'], kinds: null }
}

export function query(name: string): Place {
  return { in: 'query', name, accept: ['key'], kinds: null }
}

/** What pages may send: the credential's headers, its place in Authorization and a content type. */
export function corsOf(places: readonly Place[]): Preset['cors'] {
  return {
    allowHeaders: [...new Set([...places.flatMap(headerNames), 'authorization', 'content-type'])],
    exposeHeaders,
  }
}

/** The headers of our own that tell a page how its request went. */
const exposeHeaders: readonly string[] = ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy']

function headerNames(place: Place): readonly string[] {
  switch (place.in) {
    case 'header':
      return [place.name]
    case 'pair':
      return [place.id, place.secret]
    case 'bearer':
    case 'basic':
    case 'query':
      return []
  }
}

export const readMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']
export const writeMethods: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']

/** The whole API, read or written: so that a read-only key really is one. */
export function everywhere(id: string, methods: readonly string[], any: readonly string[]): PresetRoute {
  return { id, methods, path: '/**', scopes: anyOf(any), clientSide: false }
}

export function anyOf(any: readonly string[]): ScopeRule {
  return { any, all: [] }
}
