import { wire } from '@postern/contract'
import type { TSchema } from 'typebox'
import Type from 'typebox'

import type { Operation } from './rights.ts'
import { operationRule } from './rights.ts'

interface Shape {
  readonly summary: string
  readonly description?: string
  readonly tag: string
  readonly params?: TSchema
  readonly querystring?: TSchema
  readonly headers?: TSchema
  readonly body?: TSchema
  readonly response: Readonly<Record<number, TSchema>>
  /** Content types of the answer where it is not JSON. */
  readonly produces?: string[]
  /** Statuses that it answers beyond the common ones. */
  readonly problems?: readonly number[]
}

interface Described<S extends Shape> {
  readonly config: { readonly operation: Operation }
  readonly schema: Omit<S, 'summary' | 'tag' | 'problems'> & {
    readonly querystring: S['querystring'] extends TSchema ? S['querystring'] : typeof noParameters
  }
}

const noParameters = Type.Object({}, wire.closed)

/** Options of a route: its place in the table of rights, and all that the OpenAPI document says of it. */
export function operation<S extends Shape>(name: Operation, described: S): Described<S> {
  const { tag, problems = [], ...shape } = described
  const { right, operatorOnly } = operationRule(name)
  const needs =
    right === null ? '' : `Needs the right \`${right}\`${operatorOnly === true ? " in the operator's account" : ''}.`
  const schema = {
    operationId: name,
    tags: [tag],
    querystring: noParameters,
    ...shape,
    description: [shape.description, needs].filter((text) => text !== undefined && text !== '').join(' '),
    response: { ...shape.response, ...problemResponses(described, problems) },
  }
  // The members of the schema keep their types; only the common ones are added.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return { config: { operation: name }, schema } as unknown as Described<S>
}

function problemResponses(shape: Shape, more: readonly number[]): Record<number, object> {
  const statuses = new Set([400, 401, 403, 429, 500, 503, ...more])
  if (shape.params !== undefined) statuses.add(404)
  if (shape.body !== undefined) for (const status of [413, 415, 422]) statuses.add(status)
  const problem = {
    description: 'Problem',
    content: { 'application/problem+json': { schema: wire.ref(wire.Problem) } },
  }
  return Object.fromEntries([...statuses].toSorted((a, b) => a - b).map((status) => [status, problem]))
}

/** Ids in paths: what is not shaped like one is not found, like one that does not exist. */
export function idParameters<const Names extends readonly string[]>(
  ...names: Names
): ReturnType<typeof Type.Object<Record<Names[number], typeof Id>>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every name has been given its entry
  const properties = Object.fromEntries(names.map((name) => [name, Id])) as Record<Names[number], typeof Id>
  return Type.Object(properties)
}

const Id = Type.String()

const changeHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The version that was read, in quotes. Needed.', examples: ['"3"'] }),
  ),
})
const creationHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'Makes it safe to send the request again within 24 hours.', maxLength: 255 }),
  ),
})

/** Headers that a method takes beyond the common ones, for the document. */
export function headersOf(method: string, name: Operation): TSchema | null {
  if (method === 'PATCH') return changeHeaders
  return method === 'POST' && !notReplayed.includes(name) ? creationHeaders : null
}

/** Decisions and verdicts are not replayed, nor is what reads secrets; a backup streams. */
export const notReplayed: readonly (Operation | undefined)[] = [
  'verifyRequest',
  'explainRequest',
  'startBackup',
  'verifyAudit',
  'checkConnection',
  'revealConnection',
  'introspectToken',
]
