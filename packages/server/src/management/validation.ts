import { wire } from '@postern/contract'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'

import { once } from './once.ts'
import { Refused } from './problems.ts'

/** Schemas with an `$id`: the components of the OpenAPI document. */
export const components: readonly (TSchema & { readonly $id: string })[] =
  Object.values<unknown>(wire).filter(isComponent)

function isComponent(value: unknown): value is TSchema & { readonly $id: string } {
  return typeof value === 'object' && value !== null && '$id' in value && typeof value.$id === 'string'
}

const context: Record<string, TSchema> = Object.fromEntries(components.map((schema) => [schema.$id, schema]))

/**
 * Checks bodies as they came and parameters after reading numbers from their text. Nothing is removed, filled in or
 * coerced in a body; a fault names the field and never repeats the value.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = once(() => Compile(context, schema))
  return (value: unknown) => {
    const validator = compiled()
    const read = httpPart === 'body' ? value : validator.Convert(value)
    if (validator.Check(read)) return { value: read }
    return { error: new Refused('body_invalid', { errors: faults(validator.Errors(read), httpPart === 'body') }) }
  }
}

interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly message: string
  readonly params: object
}

function faults(errors: readonly SchemaError[], body: boolean): { path: string; message: string }[] {
  const byPath = new Map<string, string>()
  for (const error of errors) {
    if (error.keyword === 'additionalProperties') continue
    const paths = error.keyword === 'required' ? missing(error) : [error.instancePath]
    for (const path of paths) if (!byPath.has(path)) byPath.set(path, messageOf(error))
  }
  return [...byPath].map(([path, message]) => ({ path: shown(body ? path : path.slice(1)), message }))
}

function missing(error: SchemaError): string[] {
  const { requiredProperties } = error.params as { readonly requiredProperties?: readonly string[] }
  return (requiredProperties ?? []).map((name) => `${error.instancePath}/${name}`)
}

function messageOf(error: SchemaError): string {
  switch (error.keyword) {
    case 'boolean':
      return 'is not a known field'
    case 'required':
      return 'is missing'
    case 'const':
    case 'enum':
    case 'anyOf':
      return 'is not one of the accepted values'
    default:
      return error.message
  }
}

/** A field name that was sent is repeated only where it cannot be a credential. */
function shown(path: string): string {
  return path
    .split('/')
    .map((name) => (/^[A-Za-z0-9_.~:-]{0,40}$/.test(name) ? name : '…'))
    .join('/')
}
