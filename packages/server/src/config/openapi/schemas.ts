import addFormats from 'ajv-formats'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'

import { type Result, fail, ok } from '../../base/result.ts'
import type { Path } from '../issue.ts'

/** Null where the value fits; otherwise a sentence that names the place and the rule, and repeats no value. */
export type Validator = (value: unknown) => string | null

/** The schemas of one document. */
export interface Schemas {
  /** What stands at a place, references followed; null where they lead nowhere or out of the file. */
  resolve(at: Path): Located | null
  validator(at: Path): Result<Validator, string>
}

interface Located {
  readonly at: Path
  readonly value: unknown
}

const root = 'openapi'
const referencesMax = 32

export function createSchemas(document: unknown, version: string): Schemas {
  const draft = version.startsWith('3.0') ? asDraft2020(document) : document
  const ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    logger: false,
    ownProperties: true,
    // A pattern of the document meets what anybody sends: it must not take longer than the text is long.
    code: { regExp: linearPattern },
  })
  addFormats.default(ajv)
  ajv.addSchema(isRecord(draft) ? draft : {}, root)
  return {
    resolve: (at) => resolved(draft, at, referencesMax),
    validator: (at) => {
      try {
        const validate = ajv.compile({ $ref: `${root}#${fragmentOf(at)}` })
        return ok((value) => (validate(value) ? null : faultOf(validate.errors?.[0])))
      } catch (cause) {
        return fail(cause instanceof Error ? cause.message : 'the schema cannot be used')
      }
    },
  }
}

function linearPattern(pattern: string): { test(text: string): boolean } {
  return RE2JS.compile(RE2JS.translateRegExp(pattern))
}
linearPattern.code = 'linearPattern'

function faultOf(error: ErrorObject | undefined): string {
  const where = error?.instancePath ?? ''
  const property = shortName(error?.params['additionalProperty'] ?? error?.params['unevaluatedProperty'])
  const what = (error?.message ?? 'does not fit its schema') + (property === null ? '' : ` ("${property}")`)
  return where === '' ? what : `${where.slice(0, namesLengthMax)} ${what}`
}

const namesLengthMax = 200

function shortName(name: unknown): string | null {
  return typeof name === 'string' ? name.slice(0, 64) : null
}

/** A JSON pointer as the fragment of a URI (RFC 6901, section 6). */
function fragmentOf(at: Path): string {
  return at.map((step) => `/${encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')
}

function resolved(document: unknown, at: Path, left: number): Located | null {
  let value = document
  for (const [index, step] of at.entries()) {
    const next =
      isRecord(value) || Array.isArray(value) ? Object.entries(value).find(([key]) => key === String(step)) : undefined
    if (next === undefined) return null
    const reference = referenceOf(next[1])
    if (reference !== null) {
      return left === 0 ? null : resolved(document, [...reference, ...at.slice(index + 1)], left - 1)
    }
    value = next[1]
  }
  return { at, value }
}

/** Where a local reference leads; null for anything else. */
function referenceOf(value: unknown): Path | null {
  if (!isRecord(value) || typeof value['$ref'] !== 'string' || !value['$ref'].startsWith('#/')) return null
  const steps = value['$ref'].slice(2).split('/')
  try {
    return steps.map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
  } catch {
    return null
  }
}

/**
 * Schemas of OpenAPI 3.0 say two things in another way than JSON Schema 2020-12: bounds that a flag makes exclusive,
 * and `nullable`, which Ajv reads where a type stands beside it.
 */
function asDraft2020(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asDraft2020)
  if (!isRecord(value)) return value
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, held]) => [key, literals.has(key) ? held : asDraft2020(held)]),
  )
  for (const [flag, bound] of exclusives) {
    if (typeof copy[flag] !== 'boolean') continue
    if (copy[flag] && typeof copy[bound] === 'number') {
      copy[flag] = copy[bound]
      delete copy[bound]
    } else delete copy[flag]
  }
  return copy
}

const exclusives = [
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
] as const

/** What stands below these is data, not a schema. */
const literals: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'example', 'examples'])

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
