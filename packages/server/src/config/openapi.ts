import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'

import type { ScopeRule } from '../core/apis/api.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { type Source, parseSource } from './source.ts'

/** What is taken from an OpenAPI 3 file: one route for each operation, and the scopes of its OAuth flows. */
export interface Openapi {
  readonly operations: readonly Operation[]
  readonly scopes: Readonly<Record<string, string>>
}

interface Operation {
  readonly id: string
  readonly methods: readonly string[]
  readonly pattern: string
  readonly scopes: ScopeRule
}

const nothing: Openapi = { operations: [], scopes: {} }

/** `basePath` is the upstream's: the part of the server's path that the gateway adds itself. */
export function openapiOf(file: string | undefined, basePath: string, at: Path, context: Context): Openapi {
  if (file === undefined) return nothing
  const { report, files } = context
  const text = files.read(file)
  if (!text.ok) {
    report.error(at, text.error)
    return nothing
  }
  const source = parseSource(files.resolve(file), text.value, null)
  if (!source.ok) {
    report.add(source.error)
    return nothing
  }
  const document = source.value.value
  if (Value.Check(Document, document)) return read(source.value, document, basePath, context)
  const [problem] = Value.Errors(Document, document)
  const path = (problem?.instancePath ?? '').split('/').slice(1).map(unescape)
  report.add([source.value.error(path, `is not OpenAPI 3: ${problem?.message ?? 'unknown reason'}`)])
  return nothing
}

/** One step of a JSON pointer (RFC 6901, section 4). */
function unescape(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

const Requirements = Type.Array(Type.Record(Type.String(), Type.Array(Type.String())))
const OperationObject = Type.Object({
  operationId: Type.Optional(Type.String({ minLength: 1 })),
  security: Type.Optional(Requirements),
})
const PathItem = Type.Object({
  $ref: Type.Optional(Type.String()),
  get: Type.Optional(OperationObject),
  put: Type.Optional(OperationObject),
  post: Type.Optional(OperationObject),
  delete: Type.Optional(OperationObject),
  options: Type.Optional(OperationObject),
  head: Type.Optional(OperationObject),
  patch: Type.Optional(OperationObject),
  trace: Type.Optional(OperationObject),
})
const Flow = Type.Object({ scopes: Type.Optional(Type.Record(Type.String(), Type.String())) })
const Document = Type.Object({
  openapi: Type.String({ pattern: '^3[.]' }),
  servers: Type.Optional(Type.Array(Type.Object({ url: Type.String() }))),
  security: Type.Optional(Requirements),
  paths: Type.Optional(Type.Record(Type.String(), PathItem)),
  components: Type.Optional(
    Type.Object({
      securitySchemes: Type.Optional(
        Type.Record(Type.String(), Type.Object({ flows: Type.Optional(Type.Record(Type.String(), Flow)) })),
      ),
    }),
  ),
})
type Document = Static<typeof Document>

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

function read(source: Source, document: Document, basePath: string, { report }: Context): Openapi {
  const prefix = serverPath(document, basePath)
  const operations = new Map<string, Operation>()
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    if (item.$ref !== undefined) report.add([source.error(['paths', path], '$ref is not supported here')])
    for (const method of methods) {
      const operation = item[method]
      if (operation === undefined) continue
      const at = ['paths', path, method]
      const id = operation.operationId ?? `${method}_${path.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')}`
      if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/.test(id)) {
        report.add([source.error([...at, 'operationId'], 'must be letters, digits and "." "_" ":" "-", 128 at most')])
      }
      if (operations.has(id)) report.add([source.error(at, `another operation has the id "${id}" already`)])
      const scopes = scopeRule(operation.security ?? document.security ?? [])
      if (scopes === null) report.add([source.error([...at, 'security'], mixedAlternatives)])
      operations.set(id, {
        id,
        methods: [method.toUpperCase()],
        pattern: prefix + path,
        scopes: scopes ?? { any: [], all: [] },
      })
    }
  }
  return { operations: [...operations.values()], scopes: flowScopes(document) }
}

const mixedAlternatives =
  'alternatives with several scopes each cannot be expressed; name the scopes in a route with this operation id'

/** The path of the first server, less what the upstream's URL holds already. */
function serverPath(document: Document, basePath: string): string {
  const url = document.servers?.[0]?.url ?? ''
  const path = (URL.parse(url, 'http://localhost')?.pathname ?? '').replace(/\/$/, '')
  return basePath !== '' && (path === basePath || path.startsWith(`${basePath}/`)) ? path.slice(basePath.length) : path
}

/**
 * Requirements are alternatives, the scopes of one are needed together (OpenAPI 3.1, section 4.8.30). An
 * alternative without scopes names another way to authenticate, not another right, so it opens nothing.
 * Null where any-of or all-of cannot say it.
 */
function scopeRule(requirements: NonNullable<Document['security']>): ScopeRule | null {
  const alternatives = requirements
    .map((requirement) => Object.values(requirement).flat())
    .filter((scopes) => scopes.length > 0)
  const [only] = alternatives
  if (only === undefined) return { any: [], all: [] }
  if (alternatives.length === 1) return { any: [], all: [...new Set(only)] }
  return alternatives.every((scopes) => scopes.length === 1)
    ? { any: [...new Set(alternatives.flat())], all: [] }
    : null
}

function flowScopes(document: Document): Readonly<Record<string, string>> {
  const schemes = Object.values(document.components?.securitySchemes ?? {})
  const flows = schemes.flatMap((scheme) => Object.values(scheme.flows ?? {}))
  return Object.fromEntries(flows.flatMap((flow) => Object.entries(flow.scopes ?? {})))
}
