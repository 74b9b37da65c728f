import Type, { type Static } from 'typebox'
import { Value } from 'typebox/value'

import type { Context } from '../context.ts'
import type { Path } from '../issue.ts'
import { type Source, parseSource } from '../source.ts'

/** An OpenAPI file that was read, with the place of everything in it. */
export interface OpenapiFile {
  readonly source: Source
  readonly document: Document
}

/** Far above any document that people write; what is larger is a mistake or an attack. */
const documentBytesMax = 16 * 1024 * 1024

/** Null where there is none, or where it cannot be used: why is reported with its line. */
export function readDocument(file: string | undefined, at: Path, context: Context): OpenapiFile | null {
  if (file === undefined) return null
  const { report, files } = context
  const text = files.read(file)
  if (!text.ok) {
    report.error(at, text.error)
    return null
  }
  if (text.value.length > documentBytesMax) {
    report.error(at, `${files.resolve(file)} is larger than 16 MiB`)
    return null
  }
  const parsed = parseSource(files.resolve(file), text.value, null)
  if (!parsed.ok) {
    report.add(parsed.error)
    return null
  }
  const document = parsed.value.value
  if (Value.Check(Document, document)) return { source: parsed.value, document }
  const [problem] = Value.Errors(Document, document)
  const path = (problem?.instancePath ?? '').split('/').slice(1).map(unescape)
  report.add([parsed.value.error(path, `is not OpenAPI 3.0 or 3.1: ${problem?.message ?? 'unknown reason'}`)])
  return null
}

/** One step of a JSON pointer (RFC 6901, section 4). */
function unescape(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

const Requirements = Type.Array(Type.Record(Type.String(), Type.Array(Type.String())))
const OperationObject = Type.Object({
  operationId: Type.Optional(Type.String({ minLength: 1 })),
  summary: Type.Optional(Type.String()),
  security: Type.Optional(Requirements),
  parameters: Type.Optional(Type.Array(Type.Unknown())),
  requestBody: Type.Optional(Type.Unknown()),
})

const PathItem = Type.Object({
  $ref: Type.Optional(Type.String()),
  parameters: Type.Optional(Type.Array(Type.Unknown())),
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
  openapi: Type.String({ pattern: '^3[.][01][.]' }),
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
export type Document = Static<typeof Document>

export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const
