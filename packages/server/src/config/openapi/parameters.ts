import { type Result, fail, ok } from '../../base/result.ts'
import { headerValues } from '../../core/decision/headers.ts'
import { queryValues } from '../../core/decision/query.ts'
import type { Path } from '../issue.ts'
import { isRecord, type Schemas, type Validator } from './schemas.ts'

/** A parameter of an operation as a request is held against it. Null where the request fits. */
export type ParameterCheck = (path: string, query: string, headers: readonly string[]) => string | null

/** Names that OpenAPI leaves to others (OpenAPI 3.1, section 4.8.12.1). */
const ignoredHeaders: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization'])

/**
 * The checks of the parameters at these places; one of an operation stands in for one of its path with the same name.
 * Cookies are not looked at.
 */
export function parameterChecks(
  places: readonly Path[],
  pattern: string,
  schemas: Schemas,
): Result<readonly ParameterCheck[], string> {
  const found = new Map<string, Parameter>()
  for (const at of places) {
    const parameter = parameterAt(at, schemas)
    if (typeof parameter === 'string') return fail(parameter)
    found.set(`${parameter.in} ${parameter.name}`, parameter)
  }
  const checks: ParameterCheck[] = []
  for (const parameter of found.values()) {
    if (parameter.in === 'cookie') continue
    if (parameter.in === 'header' && ignoredHeaders.has(parameter.name.toLowerCase())) continue
    const check = checkOf(parameter, pattern, schemas)
    if (typeof check === 'string') return fail(`the ${parameter.in} parameter "${parameter.name}": ${check}`)
    checks.push(check)
  }
  return ok(checks)
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  readonly required: boolean
  readonly style: string | null
  readonly explode: boolean | null
  /** Of its schema. */
  readonly at: Path
}

function parameterAt(at: Path, schemas: Schemas): Parameter | string {
  const located = schemas.resolve(at)
  if (located === null || !isRecord(located.value)) return 'a reference of its parameters leads nowhere in this file'
  const { name, in: place, required, style, explode, schema } = located.value
  if (typeof name !== 'string' || name === '') return 'a parameter has no name'
  if (place !== 'path' && place !== 'query' && place !== 'header' && place !== 'cookie') {
    return `the parameter "${name}" is in none of path, query, header and cookie`
  }
  if (schema === undefined && place !== 'cookie') return `the ${place} parameter "${name}" has no schema`
  return {
    name,
    in: place,
    required: required === true || place === 'path',
    style: typeof style === 'string' ? style : null,
    explode: typeof explode === 'boolean' ? explode : null,
    at: [...located.at, 'schema'],
  }
}

function checkOf(parameter: Parameter, pattern: string, schemas: Schemas): ParameterCheck | string {
  const types = typesAt(parameter.at, schemas, 8)
  if (types === null) return 'its schema refers to nothing in this file'
  if (types.has('object')) return 'objects as parameters are not supported; switch `validate` off for this operation'
  const expected = parameter.in === 'query' ? 'form' : 'simple'
  if (parameter.style !== null && parameter.style !== expected) {
    return `the style ${parameter.style} is not supported; switch \`validate\` off for this operation`
  }
  const validator = schemas.validator(parameter.at)
  if (!validator.ok) return validator.error
  const read = reader(parameter, pattern)
  if (typeof read === 'string') return read
  const of = valueOf(parameter, types, typesAt([...parameter.at, 'items'], schemas, 8) ?? new Set())
  const told = `The ${parameter.in} parameter "${parameter.name}"`
  return (path, query, headers) => fault(read(path, query, headers), parameter, of, validator.value, told)
}

function fault(
  texts: readonly string[] | null,
  { required }: Parameter,
  of: (texts: readonly string[]) => unknown,
  validate: Validator,
  told: string,
): string | null {
  if (texts === null) return `${told} cannot be decoded.`
  if (texts.length === 0) return required ? `${told} is missing.` : null
  const wrong = validate(of(texts))
  return wrong === null ? null : `${told} ${wrong}.`
}

type Read = (path: string, query: string, headers: readonly string[]) => readonly string[] | null

function reader({ name, in: place }: Parameter, pattern: string): Read | string {
  if (place === 'header') return (_path, _query, headers) => headerValues(headers, name.toLowerCase())
  if (place === 'query') return (_path, query) => queryValues(query, name)
  const index = pattern.split('/').indexOf(`{${name}}`)
  if (index === -1) return `the path has no {${name}}`
  return (path) => {
    const segment = path.split('/')[index]
    if (segment === undefined) return []
    try {
      return [decodeURIComponent(segment)]
    } catch {
      return null
    }
  }
}

/** Texts as the values that the schema speaks of: what does not read as a number stays a text, and is refused as one. */
function valueOf(
  { in: place, explode }: Parameter,
  types: ReadonlySet<string>,
  items: ReadonlySet<string>,
): (texts: readonly string[]) => unknown {
  if (!types.has('array')) return (texts) => (texts.length === 1 ? scalar(texts[0] ?? '', types) : texts)
  const repeats = place === 'query' && explode !== false
  return (texts) =>
    (repeats ? texts : texts.flatMap((text) => text.split(','))).map((text) => scalar(text.trim(), items))
}

function scalar(text: string, types: ReadonlySet<string>): unknown {
  const number = types.has('number') || types.has('integer')
  if (number && /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(text)) return Number(text)
  if (types.has('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/** Every type that a schema allows, those of its parts included. Null where it cannot be found. */
function typesAt(at: Path, schemas: Schemas, left: number): ReadonlySet<string> | null {
  const located = schemas.resolve(at)
  if (located === null) return null
  const types = new Set<string>()
  if (!isRecord(located.value) || left === 0) return types
  const { type } = located.value
  for (const each of Array.isArray(type) ? type : [type]) if (typeof each === 'string') types.add(each)
  for (const part of ['allOf', 'anyOf', 'oneOf']) {
    const list = located.value[part]
    if (!Array.isArray(list)) continue
    for (const index of list.keys()) {
      for (const each of typesAt([...located.at, part, index], schemas, left - 1) ?? []) types.add(each)
    }
  }
  return types
}
