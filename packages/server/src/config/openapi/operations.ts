import type { ScopeRule } from '../../core/apis/api.ts'
import type { Context } from '../context.ts'
import type { ConfigError, Path } from '../issue.ts'
import { type Document, methods, type OpenapiFile } from './document.ts'

/** What is taken from an OpenAPI 3 file: one route for each operation, and the scopes of its OAuth flows. */
export interface Openapi {
  readonly file: OpenapiFile | null
  readonly operations: readonly Operation[]
  readonly scopes: Readonly<Record<string, string>>
}

export interface Operation {
  readonly id: string
  /** What people call it; null where the document does not say. */
  readonly title: string | null
  readonly methods: readonly string[]
  readonly pattern: string
  readonly scopes: ScopeRule
  /** Where it stands in the document. */
  readonly pointer: Path
  /** Something wrong with it, with the line of the document. */
  error(message: string): ConfigError
}

export const noOpenapi: Openapi = { file: null, operations: [], scopes: {} }

/** `basePath` is the upstream's: the part of the server's path that the gateway adds itself. */
export function operationsOf(file: OpenapiFile, basePath: string, { report }: Context): Openapi {
  const { source, document } = file
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
        title: operation.summary?.slice(0, titleLengthMax) ?? null,
        methods: [method.toUpperCase()],
        pattern: prefix + path,
        scopes: scopes ?? { any: [], all: [] },
        pointer: at,
        error: (message) => source.error(at, message),
      })
    }
  }
  return { file, operations: [...operations.values()], scopes: flowScopes(document) }
}

const titleLengthMax = 200

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
