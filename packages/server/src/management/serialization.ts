import createFactory, { type SerializerFactory } from '@fastify/fast-json-stringify-compiler'

import { once } from './once.ts'

const eager = createFactory()

/**
 * Answers are written by their schema, so that a field that is not declared never leaves; each schema is compiled
 * when its operation is first answered.
 */
export const buildSerializer: SerializerFactory = (externalSchemas, options) => {
  const compile = eager(externalSchemas, options)
  return (route) => {
    const write = once(() => compile(route))
    return (body) => write()(body)
  }
}
