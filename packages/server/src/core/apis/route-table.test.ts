import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { Route, RouteTable } from './api.ts'
import { createRouteTable, parsePattern } from './route-table.ts'

function aRoute(pattern: string, methods: readonly string[] = [], more: Partial<Route> = {}): Route {
  return {
    id: `${methods.join('|')} ${pattern}`,
    index: 0,
    methods,
    pattern,
    scopes: { any: [], all: [] },
    clientSide: false,
    cost: 1,
    limits: [],
    rawPath: false,
    onStale: 'refuse',
    onRevoke: 'close',
    timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: null },
    bodyBytesMax: 1,
    headerBytesMax: null,
    maintenance: null,
    title: null,
    contract: null,
    connection: null,
    llm: null,
    local: null,
    ...more,
  }
}

function aTable(routes: readonly Route[], caseInsensitive = false): RouteTable {
  const table = createRouteTable(routes, { caseInsensitive })
  if (!table.ok) throw new Error('conflict')
  return table.value
}

const get = (pattern: string) => aRoute(pattern, ['GET'])

function idOf(table: RouteTable, method: string, path: string, raw = false): string | readonly string[] | null {
  const match = raw ? table.matchRaw(method, path) : table.match(method, path)
  if (match === null) return null
  return match.methodMatched ? match.route.pattern : match.allow
}

describe('match', () => {
  const table = aTable([
    get('/v1/orders'),
    get('/v1/orders/{id}'),
    get('/v1/orders/export'),
    get('/v1/orders/{id}/items'),
    get('/v1/orders/**'),
    get('/v1/orders/export/**'),
    get('/files/**'),
    aRoute('/v1/orders', ['POST']),
    aRoute('/any/{x}', []),
  ])

  it.each([
    ['/v1/orders', '/v1/orders'],
    ['/v1/orders/', '/v1/orders'],
    ['/v1/orders/export', '/v1/orders/export'],
    ['/v1/orders/17', '/v1/orders/{id}'],
    ['/v1/orders/17/', '/v1/orders/{id}'],
    ['/v1/orders/17/items', '/v1/orders/{id}/items'],
    ['/v1/orders/17/other', '/v1/orders/**'],
    ['/v1/orders/export/items', '/v1/orders/export/**'],
    ['/v1/orders/a/b/c', '/v1/orders/**'],
    ['/files', '/files/**'],
    ['/files/', '/files/**'],
    ['/files/a', '/files/**'],
    ['/any/thing', '/any/{x}'],
  ])('reads %s as %s', (path, pattern) => {
    expect(idOf(table, 'GET', path)).toBe(pattern)
  })

  it.each(['/', '/v1', '/v1/order', '/v1/ordersX', '/filesX', '/V1/orders', '/any', '/any/', '/any/a/b'])(
    'finds nothing at %s',
    (path) => {
      expect(idOf(table, 'GET', path)).toBeNull()
    },
  )

  it('tells the methods of a path that lacks this one, of all patterns that match it', () => {
    expect(idOf(table, 'DELETE', '/v1/orders')).toEqual(['GET', 'HEAD', 'POST'])
    expect(idOf(table, 'POST', '/v1/orders/7')).toEqual(['GET', 'HEAD'])
  })

  it('takes every method where none is named', () => {
    expect(idOf(table, 'PURGE', '/any/x')).toBe('/any/{x}')
  })

  it('goes on to a less specific pattern that has the method', () => {
    const mixed = aTable([
      aRoute('/v1/orders/export', ['POST']),
      aRoute('/v1/orders/{id}', ['GET']),
      aRoute('/**', ['PUT']),
    ])
    expect(idOf(mixed, 'POST', '/v1/orders/export')).toBe('/v1/orders/export')
    expect(idOf(mixed, 'GET', '/v1/orders/export')).toBe('/v1/orders/{id}')
    expect(idOf(mixed, 'PUT', '/v1/orders/export')).toBe('/**')
    expect(idOf(mixed, 'DELETE', '/v1/orders/export')).toEqual(['GET', 'HEAD', 'POST', 'PUT'])
  })

  it('serves HEAD by its own route, else by that of GET', () => {
    const heads = aTable([
      get('/a'),
      aRoute('/b', ['GET']),
      aRoute('/b', ['HEAD'], { id: 'head' }),
      aRoute('/c', ['POST']),
    ])
    expect(idOf(heads, 'HEAD', '/a')).toBe('/a')
    expect(heads.match('HEAD', '/b')).toMatchObject({ route: { id: 'head' } })
    expect(idOf(heads, 'HEAD', '/c')).toEqual(['POST'])
  })

  it('keeps whole segments apart', () => {
    const areas = aTable([get('/v1/validation-rules/**'), get('/v1/validation-rules-assignments/**')])
    expect(idOf(areas, 'GET', '/v1/validation-rules-assignments')).toBe('/v1/validation-rules-assignments/**')
    expect(idOf(areas, 'GET', '/v1/validation-rules/x')).toBe('/v1/validation-rules/**')
    expect(idOf(areas, 'GET', '/v1/validation-rulesX')).toBeNull()
  })

  it('looks at case only where the API says so', () => {
    const routes = [get('/v1/SKUs/{id}')]
    expect(idOf(aTable(routes), 'GET', '/v1/skus/1')).toBeNull()
    expect(idOf(aTable(routes, true), 'GET', '/v1/skus/1')).toBe('/v1/SKUs/{id}')
    expect(idOf(aTable(routes, true), 'GET', '/V1/SKUS/1')).toBe('/v1/SKUs/{id}')
  })

  it('does not let an encoded delimiter slip past a literal', () => {
    const verbs = aTable([get('/v1/orders:purge'), get('/v1/{name}'), get('/b%7cc')])
    expect(idOf(verbs, 'GET', '/v1/orders%3Apurge')).toBe('/v1/orders:purge')
    expect(idOf(verbs, 'GET', '/v1/orders%253Apurge')).toBe('/v1/{name}')
    expect(idOf(verbs, 'GET', '/b|c')).toBe('/b%7cc')
  })

  it('matches the root', () => {
    expect(idOf(aTable([get('/')]), 'GET', '/')).toBe('/')
    expect(idOf(aTable([get('/')]), 'GET', '/a')).toBeNull()
    expect(idOf(aTable([get('/**')]), 'GET', '/')).toBe('/**')
    expect(idOf(aTable([get('/{x}')]), 'GET', '/')).toBeNull()
    expect(idOf(aTable([]), 'GET', '/')).toBeNull()
  })
})

describe('raw paths', () => {
  const table = aTable([
    aRoute('/files/**', ['GET'], { rawPath: true }),
    aRoute('/objects/{key}', ['GET'], { rawPath: true }),
    get('/objects/{key}/acl'),
    get('/files/secret'),
    get('/admin/**'),
  ])

  it.each([
    ['/files/a//b', '/files/**'],
    ['/files/a%2Fb', '/files/**'],
    ['/files/a;v=1', '/files/**'],
    ['/files/a/../b', '/files/**'],
    ['/objects/a%2Fb', '/objects/{key}'],
  ])('%s is served by the raw route %s', (path, pattern) => {
    expect(idOf(table, 'GET', path, true)).toBe(pattern)
  })

  it.each([
    '/admin/a//b',
    '/files/../admin/x',
    '/files/%2e%2e/admin/x',
    '/files/..%2fadmin',
    '/files/..%5cadmin',
    '/files/..;/admin',
    '/files/../../files/x/../../..',
    '/files/../other',
    '/files//secret',
    '/files/secret;x',
    '/files/./secret',
    '/objects/a%2facl',
    '/objects/..%2fadmin',
    '/%66iles/a//b',
    '//files/a',
    // As upstreams read it that decode twice, or overlong UTF-8, or as IIS once did.
    '/files/%252e%252e/admin',
    '/files/%25252e%25252e%25252fadmin',
    '/files/..%255c..%255cadmin',
    '/files/%c0%ae%c0%ae/admin',
    '/files/..%c0%afadmin',
    '/files/..%C1%9Cadmin',
    '/files/%e0%80%ae./admin',
    '/files/%u002e%U002E/admin',
    `/files/%${'25'.repeat(20)}2e`,
  ])('%s is not served: it is no raw route, or could reach something else', (path) => {
    expect(idOf(table, 'GET', path, true)).toBeNull()
  })

  it('serves canonical paths by the same rank as all other routes', () => {
    expect(idOf(table, 'GET', '/files/secret')).toBe('/files/secret')
    expect(idOf(table, 'GET', '/files/x')).toBe('/files/**')
  })

  it('knows nothing raw where no route asks for it', () => {
    expect(idOf(aTable([get('/**')]), 'GET', '/a//b', true)).toBeNull()
  })

  it('tells the methods of a raw route', () => {
    expect(idOf(table, 'PUT', '/files/a//b', true)).toEqual(['GET', 'HEAD'])
  })
})

const conflict = (a: Route, b: Route, caseInsensitive = false) => !createRouteTable([a, b], { caseInsensitive }).ok

describe('equal patterns', () => {
  it('are refused where their methods overlap', () => {
    expect(conflict(get('/a/{x}'), get('/a/{y}'))).toBe(true)
    expect(conflict(get('/a/**'), get('/a/**'))).toBe(true)
    expect(conflict(get('/a'), get('/a/'))).toBe(true)
    expect(conflict(get('/%61'), get('/a'))).toBe(true)
    expect(conflict(aRoute('/a'), get('/a'))).toBe(true)
    expect(conflict(get('/a'), aRoute('/a'))).toBe(true)
    expect(conflict(aRoute('/a'), aRoute('/a'))).toBe(true)
    expect(conflict(get('/A'), get('/a'), true)).toBe(true)
  })

  it('are no conflict where methods, shape or case differ', () => {
    expect(conflict(get('/a/{x}'), aRoute('/a/{y}', ['POST']))).toBe(false)
    expect(conflict(get('/a/{x}'), get('/a/b'))).toBe(false)
    expect(conflict(get('/a'), get('/a/**'))).toBe(false)
    expect(conflict(get('/A'), get('/a'))).toBe(false)
  })

  it('names both routes and the method', () => {
    const [first, second] = [get('/a/{x}'), aRoute('/a/{y}', ['PUT', 'GET'])]
    expect(createRouteTable([first, second], { caseInsensitive: false })).toEqual({
      ok: false,
      error: { first, second, method: 'GET' },
    })
  })
})

describe('parsePattern', () => {
  it.each([
    ['v1', 'begins with "/"'],
    ['', 'begins with "/"'],
    ['/a/**/b', 'only stand at the end'],
    ['/a/*', 'not supported'],
    ['/a/*.json', 'not supported'],
    ['/a/{x}.json', 'whole segment'],
    ['/a/{}', 'whole segment'],
    ['/a/{x', 'whole segment'],
    ['/a//b', 'never be part'],
    ['/a/../b', 'never be part'],
    ['/a/%2e', 'never be part'],
    ['/a;b', 'never be part'],
    ['/a?b', 'never be part'],
    ['/a#b', 'never be part'],
    ['/a b', 'never be part'],
    ['/a%2Fb', 'never be part'],
  ])('refuses %j: %s', (pattern, reason) => {
    expect(parsePattern(pattern)).toEqual({ ok: false, error: expect.stringContaining(reason) })
  })
})

describe('the table', () => {
  const segment = fc.constantFrom('a', 'b', '{x}', '{y}')
  const pattern = fc
    .tuple(fc.array(segment, { maxLength: 4 }), fc.boolean())
    .map(([segments, tail]) => `/${[...segments, ...(tail ? ['**'] : [])].join('/')}`)
  const route = fc
    .tuple(pattern, fc.uniqueArray(fc.constantFrom('GET', 'POST', 'HEAD'), { maxLength: 2 }))
    .map(([text, methods]) => aRoute(text, methods))
  const path = fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 }), fc.boolean())
    .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`)

  it('agrees with a naive matcher that tries every route', () => {
    fc.assert(
      fc.property(
        fc.array(route, { maxLength: 8 }),
        path,
        fc.constantFrom('GET', 'POST', 'HEAD', 'PUT'),
        (routes, at, method) => {
          const table = createRouteTable(routes, { caseInsensitive: false })
          expect(table.ok).toBe(!routes.some((a, i) => routes.some((b, j) => i < j && naivelyEqual(a, b))))
          fc.pre(table.ok)
          const match = table.value.match(method, at)
          expect(match?.methodMatched === true ? match.route : null).toBe(naiveMatch(routes, method, at))
          expect(match === null).toBe(!routes.some((each) => shapeMatches(each.pattern, at)))
        },
      ),
      { numRuns: 3_000 },
    )
  })

  it('gives the same answer in whatever order the routes are declared', () => {
    fc.assert(
      fc.property(fc.array(route, { maxLength: 6 }), path, (routes, at) => {
        const [forward, backward] = [routes, routes.toReversed()].map((each) =>
          createRouteTable(each, { caseInsensitive: false }),
        )
        expect(forward?.ok).toBe(backward?.ok)
        fc.pre(forward?.ok === true && backward?.ok === true)
        expect(forward.value.match('GET', at)).toEqual(backward.value.match('GET', at))
      }),
    )
  })
})

function split(text: string): string[] {
  return text.split('/').filter((part) => part !== '')
}

function shapeMatches(pattern: string, path: string): boolean {
  const expression = split(pattern)
    .map((part) => (part === '**' ? '(/[^/]+)*' : part.startsWith('{') ? '/[^/]+' : `/${part}`))
    .join('')
  return new RegExp(`^${expression}/?$`).test(path)
}

function rank(pattern: string): string {
  return `${split(pattern)
    .map((part) => (part === '**' ? '3' : part.startsWith('{') ? '2' : '1'))
    .join('')}0`
}

function naiveMatch(routes: readonly Route[], method: string, path: string): Route | null {
  const best = routes
    .filter(
      (each) =>
        shapeMatches(each.pattern, path) && (hasMethod(each, method) || (method === 'HEAD' && hasMethod(each, 'GET'))),
    )
    .toSorted(
      (a, b) =>
        rank(a.pattern).localeCompare(rank(b.pattern)) || Number(hasMethod(b, method)) - Number(hasMethod(a, method)),
    )
  return best[0] ?? null
}

function naivelyEqual(a: Route, b: Route): boolean {
  const overlap =
    a.methods.length === 0 || b.methods.length === 0 || a.methods.some((method) => b.methods.includes(method))
  return shapeOf(a.pattern) === shapeOf(b.pattern) && overlap
}

function hasMethod(each: Route, name: string): boolean {
  return each.methods.length === 0 || each.methods.includes(name)
}

function shapeOf(pattern: string): string {
  return split(pattern)
    .map((part) => (part.startsWith('{') ? '{}' : part))
    .join('/')
}
