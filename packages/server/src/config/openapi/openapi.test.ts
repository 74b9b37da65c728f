import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { Route } from '../../core/apis/api.ts'
import type { Config } from '../config.ts'
import { formatConfigError } from '../issue.ts'
import { loadConfigText } from '../load.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-openapi-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const shop = (more = ''): string => `version: 1
brand: acme
apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:3000
    openapi: ./shop.yaml
${more}`

function load(document: unknown, more = ''): Config | readonly string[] {
  writeFileSync(join(folder, 'shop.yaml'), typeof document === 'string' ? document : JSON.stringify(document, null, 1))
  const loaded = loadConfigText(shop(more), { file: join(folder, 'postern.yaml'), env: {} })
  return loaded.ok ? loaded.value : loaded.error.map(formatConfigError).map((text) => text.slice(folder.length + 1))
}

function good(document: unknown, more = ''): Config {
  const loaded = load(document, more)
  if (!('declaration' in loaded)) throw new Error(loaded.join('\n'))
  return loaded
}

function routeOf(config: Config, id: string): Route {
  const route = config.declaration.apis.get('shop')?.routes.routes.find((each) => each.id === id)
  if (route === undefined) throw new Error(`no route ${id}`)
  return route
}

const orders = {
  openapi: '3.1.0',
  paths: {
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
      get: {
        operationId: 'getOrder',
        summary: 'Read an order',
        parameters: [
          { $ref: '#/components/parameters/Limit' },
          { name: 'tag', in: 'query', schema: { type: 'array', items: { type: 'string' }, maxItems: 2 } },
          { name: 'ids', in: 'query', explode: false, schema: { type: 'array', items: { type: 'integer' } } },
          { name: 'full', in: 'query', schema: { type: 'boolean' } },
          { name: 'X-Trace', in: 'header', required: true, schema: { type: 'string', pattern: '^[0-9a-f]+$' } },
          { name: 'session', in: 'cookie', required: true, schema: { type: 'string' } },
        ],
      },
      put: {
        operationId: 'putOrder',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Order' } },
            'text/csv': {},
          },
        },
      },
      patch: {
        operationId: 'patchOrder',
        requestBody: { content: { 'application/merge-patch+json': { schema: { type: 'object' } } } },
      },
    },
  },
  components: {
    parameters: { Limit: { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 50 } } },
    schemas: {
      Order: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', minLength: 1 },
          note: { type: ['string', 'null'] },
          mail: { type: 'string', format: 'email' },
          parent: { $ref: '#/components/schemas/Order' },
        },
      },
    },
  },
}

const validated = '    validate: true\n'

describe('request validation against the OpenAPI document', () => {
  const head = (path: string, query = '', headers: readonly string[] = ['X-Trace', 'a1']): string | null => {
    const { contract } = routeOf(good(orders, validated), 'getOrder')
    return contract === null ? 'not validated' : contract.headFault(path, query, headers)
  }

  it.each([
    ['a whole number in the path', '/orders/7', '', null],
    ['a number that is too small', '/orders/0', '', 'The path parameter "id" must be >= 1.'],
    ['a text for a number', '/orders/seven', '', 'The path parameter "id" must be integer.'],
    ['a number with a sign', '/orders/+7', '', 'The path parameter "id" must be integer.'],
    ['an encoded number', '/orders/%37', '', null],
    ['what cannot be decoded', '/orders/%ff', '', 'The path parameter "id" cannot be decoded.'],
    ['the highest value', '/orders/7', '?limit=50', null],
    ['one more', '/orders/7', '?limit=51', 'The query parameter "limit" must be <= 50.'],
    ['a parameter that comes twice', '/orders/7', '?limit=5&limit=6', 'The query parameter "limit" must be integer.'],
    ['an encoded name', '/orders/7', '?l%69mit=51', 'The query parameter "limit" must be <= 50.'],
    ['a list by repetition', '/orders/7', '?tag=a&tag=b', null],
    [
      'a list that is too long',
      '/orders/7',
      '?tag=a&tag=b&tag=c',
      'The query parameter "tag" must NOT have more than 2 items.',
    ],
    ['a list with commas', '/orders/7', '?ids=1,2,3', null],
    ['a list with a text in it', '/orders/7', '?ids=1,b', 'The query parameter "ids" /1 must be integer.'],
    ['yes or no', '/orders/7', '?full=true', null],
    ['neither yes nor no', '/orders/7', '?full=1', 'The query parameter "full" must be boolean.'],
    ['a parameter that nobody described', '/orders/7', '?other=1', null],
  ])('%s', (_what, path, query, fault) => {
    expect(head(path, query)).toBe(fault)
  })

  it('holds headers against it, whatever their case, and leaves cookies alone', () => {
    expect(head('/orders/7', '', [])).toBe('The header parameter "X-Trace" is missing.')
    expect(head('/orders/7', '', ['x-trace', 'ff'])).toBeNull()
    expect(head('/orders/7', '', ['x-trace', 'no'])).toBe(
      'The header parameter "X-Trace" must match pattern "^[0-9a-f]+$".',
    )
  })

  const body = (type: string | null, text: string | null, operation = 'putOrder'): string | null => {
    const { contract } = routeOf(good(orders, validated), operation)
    if (contract?.body == null) throw new Error('the body is not validated')
    return contract.body.fault(type, text !== null, text === null ? null : new TextEncoder().encode(text))
  }
  const json = 'application/json; charset=utf-8'

  it.each([
    ['what fits', json, '{"name":"n","note":null}', null],
    ['nothing', null, null, 'The body is missing.'],
    ['a type without a body', json, null, 'The body is missing.'],
    ['a missing property', json, '{}', "The body must have required property 'name'."],
    ['an inherited property', json, '{"__proto__":{"name":"n"}}', "The body must have required property 'name'."],
    ['an unknown property', json, '{"name":"n","x":1}', 'The body must NOT have additional properties ("x").'],
    [
      'a wrong one further in',
      json,
      '{"name":"n","parent":{"name":""}}',
      'The body /parent/name must NOT have fewer than 1 characters.',
    ],
    ['a format', json, '{"name":"n","mail":"m"}', 'The body /mail must match format "email".'],
    ['no JSON', json, '{"name":', 'The body is not JSON.'],
    ['no UTF-8', json, '\uFEFF{"name":"n"}', 'The body is not JSON.'],
    ['a type that is described without a schema', 'text/csv', 'a,b', null],
    [
      'a type that is not described',
      'application/xml',
      '<a/>',
      'The Content-Type of the body is not one that this operation takes.',
    ],
    ['a body without a type', null, '{}', 'The Content-Type of the body is not one that this operation takes.'],
  ])('of a body: %s', (_what, type, text, fault) => {
    expect(body(type, text)).toBe(fault)
  })

  it('takes a body that may be left out, and reads only what it can judge', () => {
    expect(body(null, null, 'patchOrder')).toBeNull()
    expect(body('application/merge-patch+json', '[]', 'patchOrder')).toBe('The body must be object.')
    const { contract } = routeOf(good(orders, validated), 'putOrder')
    expect(
      ['application/json', 'text/csv', 'application/xml', null].map((type) => contract?.body?.isRead(type)),
    ).toEqual([true, false, false, false])
  })

  it('refuses a body nested deeper than a schema can be walked, and lives on', () => {
    const deep = `{"name":"n","parent":`.repeat(40_000) + '{"name":"n"}' + '}'.repeat(40_000)
    expect(body(json, deep)).toMatch(/^The body is (nested too deeply|not JSON)\.$/)
    expect(body(json, '{"name":"n"}')).toBeNull()
  })

  it('takes time in the length of a text, whatever the pattern', () => {
    const document = structuredClone(orders)
    document.paths['/orders/{id}'].get.parameters = [
      { name: 'q', in: 'query', schema: { type: 'string', pattern: '^(a+)+$' } },
    ] as never
    const { contract } = routeOf(good(document, validated), 'getOrder')
    expect(contract?.headFault('/orders/7', `?q=${'a'.repeat(5_000)}!`, [])).toBe(
      'The query parameter "q" must match pattern "^(a+)+$".',
    )
  })

  it('reads the schemas of OpenAPI 3.0 in their own words', () => {
    const document = {
      openapi: '3.0.3',
      paths: {
        '/a': {
          get: {
            operationId: 'a',
            parameters: [
              {
                name: 'n',
                in: 'query',
                schema: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
              },
            ],
            requestBody: {
              content: { 'application/json': { schema: { type: 'string', nullable: true, enum: ['x', null] } } },
            },
          },
        },
      },
    }
    const { contract } = routeOf(good(document, validated), 'a')
    const of = (n: string) => contract?.headFault('/a', `?n=${n}`, [])
    expect([of('0'), of('0.1'), of('9'), of('9.1')]).toEqual([
      'The query parameter "n" must be > 0.',
      null,
      null,
      'The query parameter "n" must be <= 9.',
    ])
    const fault = (text: string) => contract?.body?.fault('application/json', true, new TextEncoder().encode(text))
    expect([fault('null'), fault('"x"'), fault('"y"')]).toEqual([
      null,
      null,
      'The body must be equal to one of the allowed values.',
    ])
  })

  it('is asked for: for the whole API, or route by route', () => {
    expect(routeOf(good(orders), 'getOrder').contract).toBeNull()
    const some = good(orders, '    routes: [{id: putOrder, validate: true}]\n')
    expect([routeOf(some, 'getOrder').contract, routeOf(some, 'putOrder').contract === null]).toEqual([null, false])
    const others = good(orders, `${validated}    routes: [{id: putOrder, validate: false}]\n`)
    expect([routeOf(others, 'getOrder').contract === null, routeOf(others, 'putOrder').contract]).toEqual([false, null])
  })

  it('gives operations their titles', () => {
    const config = good(orders, '    routes: [{id: getOrder, cost: 2}]\n')
    expect([routeOf(config, 'getOrder').title, routeOf(config, 'putOrder').title]).toEqual(['Read an order', null])
  })
})

const operation = (more: string): string => `openapi: 3.1.0
paths:
  /a/{x}:
    get:
      operationId: a
${more}`

describe('a document that cannot be used is refused with its line', () => {
  it.each([
    ['openapi: 3.2.0\n', '', 'shop.yaml:1:10 openapi: is not OpenAPI 3.0 or 3.1'],
    [
      'openapi: 3.1.0\npaths: {"/a/{b}.json": {get: {operationId: x}}}\n',
      '',
      'shop.yaml:2:30 paths./a/{b}.json.get: the operation "x" (/a/{b}.json): "{b}.json" is not supported',
    ],
    [
      operation('      parameters: [{name: x, in: path, schema: {type: strange}}]\n'),
      validated,
      'shop.yaml:5:7 paths./a/{x}.get: cannot be validated: the path parameter "x": type must be JSONType or JSONType[]: strange',
    ],
    [
      operation('      parameters: [{name: y, in: path, schema: {type: string}}]\n'),
      validated,
      'cannot be validated: the path parameter "y": the path has no {y}',
    ],
    [
      operation('      parameters: [{$ref: "#/components/parameters/X"}]\n'),
      validated,
      'cannot be validated: a reference of its parameters leads nowhere in this file',
    ],
    [
      operation('      parameters: [{$ref: "http://169.254.169.254/x"}]\n'),
      validated,
      'cannot be validated: a parameter has no name',
    ],
    [
      operation('      parameters: [{name: q, in: query, schema: {$ref: "other.yaml#/X"}}]\n'),
      validated,
      'cannot be validated: the query parameter "q": can\'t resolve reference other.yaml#/X from id openapi',
    ],
    [
      operation('      parameters: [{name: q, in: query, style: deepObject, schema: {type: string}}]\n'),
      validated,
      'the style deepObject is not supported',
    ],
    [
      operation('      parameters: [{name: q, in: query, schema: {type: string, pattern: "(?=a)"}}]\n'),
      validated,
      'cannot be validated: the query parameter "q": error parsing regexp',
    ],
    [
      `${operation('      parameters: [{$ref: "#/components/parameters/X"}]\n')}components: {parameters: {X: {$ref: "#/components/parameters/X"}}}\n`,
      validated,
      'leads nowhere in this file',
    ],
    [operation('      requestBody: {}\n'), validated, 'cannot be validated: its requestBody has no content'],
    [
      operation(''),
      '    routes: [{id: own, path: /b, validate: true}]\n',
      'validate: needs an operation of the OpenAPI document',
    ],
    [`${operation('')}x: &a [1]\ny: [${'*a, '.repeat(100_000)}*a]\n`, '', 'shop.yaml:1:1: excessive alias count'],
  ])('%j', (document, more, message) => {
    const loaded = load(document, more)
    expect('declaration' in loaded ? [] : loaded).toEqual([expect.stringContaining(message)])
  })

  it('also where it is too large', () => {
    expect(load(`openapi: 3.1.0\n#${'x'.repeat(16 * 1024 * 1024)}\n`)).toEqual([
      expect.stringContaining('is larger than 16 MiB'),
    ])
  })
})

describe('drift between postern.yaml and the document is told', () => {
  const notes = (routes: string): readonly string[] => {
    const document = `openapi: 3.1.0
security: [{oauth: [read]}]
paths:
  /a: {get: {operationId: a}, post: {operationId: b, security: [{oauth: [read]}, {oauth: [write]}]}}
components: {securitySchemes: {oauth: {flows: {clientCredentials: {scopes: {read: R, write: W}}}}}}
`
    return good(document, `    routes:\n${routes}`).notes.map(({ path, message }) => `${path} ${message}`)
  }
  it.each([
    ['      - {id: a, cost: 2}\n', []],
    ['      - {id: a, scopes: {all: [read]}}\n', []],
    ['      - {id: a, scopes: {any: [read]}}\n', []],
    ['      - {id: a, path: /a, methods: [GET]}\n', []],
    ['      - {id: a, path: /c}\n', ['apis.shop.routes[0].path differs from the OpenAPI document, where it is /a']],
    [
      '      - {id: a, path: /c, methods: [GET, PUT]}\n',
      [
        'apis.shop.routes[0].path differs from the OpenAPI document, where it is /a',
        'apis.shop.routes[0].methods differ from the OpenAPI document, where it is GET',
      ],
    ],
    [
      '      - {id: a, scopes: {}}\n',
      ['apis.shop.routes[0].scopes leave out what the OpenAPI document asks for: read'],
    ],
    [
      '      - {id: a, scopes: {any: [read, write]}}\n',
      ['apis.shop.routes[0].scopes leave out what the OpenAPI document asks for: read'],
    ],
    [
      '      - {id: b, scopes: {}}\n',
      ['apis.shop.routes[0].scopes leave out what the OpenAPI document asks for: read or write'],
    ],
    ['      - {id: c, path: /c}\n', ['apis.shop.routes[0] is not in the OpenAPI document']],
  ])('%j', (routes, told) => {
    expect(notes(routes)).toEqual(told)
  })
})
