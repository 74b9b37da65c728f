export interface Call {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Parsed JSON; null where there was none. */
  readonly body: unknown
  /** Who calls, as the gateway says it. */
  readonly you: { readonly account: string; readonly credential: string; readonly scopes: string }
}

export interface Answer {
  readonly status: number
  /** Null: no body. */
  readonly body: unknown
}

/** Null where the path is not its own. */
export type Handler = (call: Call) => Answer | null

export const notFound: Answer = { status: 404, body: { error: 'there is nothing with this id' } }

export function methodNotAllowed(call: Call): Answer {
  return { status: 405, body: { error: `${call.method} is not possible at ${call.path}` } }
}

/** The last part of `/v2/links/7`; '' for the collection itself, null for another path. */
export function idBelow(collection: string, path: string): string | null {
  if (path === collection) return ''
  return path.startsWith(`${collection}/`) ? path.slice(collection.length + 1) : null
}

/** A field of a JSON object, as text; '' where there is none. */
export function textField(body: unknown, name: string): string {
  const value = field(body, name)
  return typeof value === 'string' ? value : ''
}

export function numberField(body: unknown, name: string): number {
  const value = field(body, name)
  return typeof value === 'number' ? value : 0
}

export function field(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  return Object.entries(body).find(([key]) => key === name)?.[1]
}
