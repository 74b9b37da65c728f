import type { TSchema } from 'typebox'

import { nearest } from '../core/credentials/nearest.ts'
import type { Path } from './issue.ts'

/**
 * The part of JSON Schema that the schema of postern.yaml is made of. A validator's own messages say which keyword
 * failed; this walk says to the person who wrote the file what is allowed instead.
 */
export interface Shape {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Shape>>
  readonly minProperties?: number
  readonly items?: Shape
  readonly minItems?: number
  readonly maxItems?: number
  readonly anyOf?: readonly Shape[]
  readonly const?: string | number
  readonly enum?: readonly (string | number)[]
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  /** In words what the value must be. */
  readonly expects?: string
}

/** A TypeBox schema is the JSON Schema itself. */
export function shapeOf(schema: TSchema): Shape {
  if (!isShape(schema)) throw new TypeError('Not a schema')
  return schema
}

function isShape(schema: unknown): schema is Shape {
  return typeof schema === 'object' && schema !== null
}

export type Tell = (path: Path, message: string, part?: 'key' | 'value') => void

/** Tells everything in which the value differs from the shape. */
export function checkShape(shape: Shape, value: unknown, path: Path, tell: Tell): void {
  if (value === null || value === undefined) tell(path, `has no value; it must be ${describe(shape)}`, 'key')
  else if (shape.anyOf !== undefined) checkAlternatives(shape, shape.anyOf, value, path, tell)
  else if (shape.const !== undefined) checkOneOf([shape.const], value, path, tell)
  else if (shape.enum !== undefined) checkOneOf(shape.enum, value, path, tell, shape.expects)
  else if (shape.type === 'object') checkObject(shape, value, path, tell)
  else if (shape.type === 'array') checkArray(shape, value, path, tell)
  else if (shape.type === 'string') checkString(shape, value, path, tell)
  else if (shape.type === 'integer') checkInteger(shape, value, path, tell)
  else if (shape.type === 'number') checkNumber(shape, value, path, tell)
  else if (shape.type === 'boolean' && typeof value !== 'boolean') tell(path, 'must be true or false')
}

function checkAlternatives(shape: Shape, nested: readonly Shape[], value: unknown, path: Path, tell: Tell): void {
  const alternatives = nested.flatMap((each) => each.anyOf ?? [each])
  const tag = tagOf(alternatives)
  if (tag !== null && isObject(value)) {
    const chosen = alternatives.find((each) => each.properties?.[tag]?.const === value[tag])
    if (chosen !== undefined) checkShape(chosen, value, path, tell)
    else if (value[tag] === undefined) tell(path, `"${tag}" is missing`)
    else
      checkOneOf(
        alternatives.map((each) => each.properties?.[tag]?.const),
        value[tag],
        [...path, tag],
        tell,
      )
    return
  }
  const kind = Array.isArray(value) ? 'array' : typeof value === 'number' ? 'integer' : typeof value
  const fitting = isObject(value) ? mapFor(alternatives, value) : alternatives.find(({ type }) => type === kind)
  if (fitting === undefined) tell(path, `must be ${describe(shape)}`)
  else checkShape(fitting, value, path, tell)
}

/** Of several maps the one whose keys are used, else the one whose keys are nearly used, else the one of free keys. */
function mapFor(alternatives: readonly Shape[], value: Readonly<Record<string, unknown>>): Shape | undefined {
  const maps = alternatives.filter(({ type }) => type === 'object')
  const keys = Object.keys(value)
  const known = (map: Shape) => Object.keys(map.properties ?? {})
  return (
    maps.find((map) => keys.some((key) => known(map).includes(key))) ??
    maps.find((map) => keys.some((key) => nearest(key, known(map)) !== null)) ??
    maps.find(({ patternProperties }) => patternProperties !== undefined) ??
    maps[0]
  )
}

/** The property whose constant tells the alternatives apart. */
function tagOf(alternatives: readonly Shape[]): string | null {
  const tags = Object.keys(alternatives[0]?.properties ?? {})
  return tags.find((name) => alternatives.every((each) => each.properties?.[name]?.const !== undefined)) ?? null
}

function checkOneOf(allowed: readonly unknown[], value: unknown, path: Path, tell: Tell, expects?: string): void {
  if (allowed.includes(value)) return
  const list = allowed.map(String)
  tell(path, `must be ${expects ?? anyOf(list)}${didYouMean(value, list)}`)
}

function checkObject(shape: Shape, value: unknown, path: Path, tell: Tell): void {
  if (!isObject(value)) return tell(path, `must be ${describe(shape)}`)
  const [elsewhere] = Object.values(shape.patternProperties ?? {})
  const known = shape.properties ?? {}
  for (const [name, item] of Object.entries(value)) {
    const ofItem = Object.hasOwn(known, name) ? known[name] : elsewhere
    if (ofItem === undefined) tell([...path, name], unknownKey(name, Object.keys(known)), 'key')
    else checkShape(ofItem, item, [...path, name], tell)
  }
  for (const name of shape.required ?? []) {
    if (!Object.hasOwn(value, name))
      tell(path, `"${name}" is missing; it must be ${describe(known[name] ?? {})}`, 'key')
  }
  if (Object.keys(value).length < (shape.minProperties ?? 0)) tell(path, `must not be empty`)
}

function unknownKey(name: string, known: readonly string[]): string {
  const close = nearest(name, known)
  return close === null ? `unknown key; allowed here: ${known.join(', ')}` : `unknown key; did you mean "${close}"?`
}

function checkArray(shape: Shape, value: unknown, path: Path, tell: Tell): void {
  if (!Array.isArray(value)) return tell(path, 'must be a list')
  if (value.length < (shape.minItems ?? 0)) tell(path, 'must not be an empty list; leave it out instead')
  if (value.length > (shape.maxItems ?? Infinity)) {
    return tell(path, `must not have more than ${shape.maxItems} items`)
  }
  for (const [index, item] of value.entries()) checkShape(shape.items ?? {}, item, [...path, index], tell)
}

function checkString(shape: Shape, value: unknown, path: Path, tell: Tell): void {
  if (typeof value !== 'string') {
    const scalar = typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
    const quoted = scalar !== null && fits(shape, scalar) ? `; write it in quotes: "${scalar}"` : ''
    return tell(path, `must be ${describe(shape)}${quoted}${scalar === null ? '' : unitHint(shape, scalar)}`)
  }
  if (!fits(shape, value)) tell(path, `must be ${describe(shape)}${unitHint(shape, value)}`)
}

function fits(shape: Shape, text: string): boolean {
  if (text.length < (shape.minLength ?? 0) || text.length > (shape.maxLength ?? Infinity)) return false
  return shape.pattern === undefined || new RegExp(shape.pattern).test(text)
}

function unitHint(shape: Shape, text: string): string {
  return /^[0-9]+$/.test(text) && /\|d\)|GiB/.test(shape.pattern ?? '') ? '; the unit is missing' : ''
}

function checkInteger({ minimum = 0, maximum = Infinity }: Shape, value: unknown, path: Path, tell: Tell): void {
  const inside = Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum
  if (!inside) tell(path, `must be a whole number from ${minimum} to ${maximum}`)
}

function checkNumber(shape: Shape, value: unknown, path: Path, tell: Tell): void {
  const { minimum = 0, maximum = Infinity } = shape
  const inside = typeof value === 'number' && value >= minimum && value <= maximum
  if (!inside) tell(path, `must be ${describe(shape)}, from ${minimum} to ${maximum}`)
}

function describe(shape: Shape): string {
  if (shape.expects !== undefined) return shape.expects
  if (shape.const !== undefined) return String(shape.const)
  if (shape.enum !== undefined) return anyOf(shape.enum.map(String))
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map(describe))].join(', or ')
  if (shape.properties !== undefined) return `a map with ${Object.keys(shape.properties).join(', ')}`
  return (
    { object: 'a map', array: 'a list', string: 'text', integer: 'a whole number' }[shape.type ?? ''] ?? 'true or false'
  )
}

/** The end of a sentence about a name that is not known. */
export function didYouMean(value: unknown, known: readonly string[]): string {
  const close = typeof value === 'string' ? nearest(value, known) : null
  return close === null ? '' : `; did you mean "${close}"?`
}

export function anyOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
