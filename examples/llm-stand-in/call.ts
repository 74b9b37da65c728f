import type { IncomingMessage } from 'node:http'

/** A request to the stand-in, as far as it looks at it. */
export interface Call {
  readonly method: string
  /** Below the provider's name: `/v1/chat/completions`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly header: (name: string) => string
  /** Parsed JSON; null where there was none. */
  readonly body: unknown
}

/** What is answered: one JSON value, or a stream of events that come one after the other. */
export type Reply =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly events: readonly StreamedEvent[] }

export interface StreamedEvent {
  readonly name?: string
  /** JSON, or `[DONE]`. */
  readonly data: string
}

/** An event whose type is said twice, as OpenAI's responses and Anthropic do. */
export function typedEvent(type: string, more: object = {}): StreamedEvent {
  return { name: type, data: JSON.stringify({ type, ...more }) }
}

/** One provider's wire form. Null where the path is not its own. */
export interface StandIn {
  /** Where the provider looks for its key. */
  keyOf(call: Call): string
  answer(call: Call): Reply | null
  /** An error in the provider's form. */
  refuse(status: number, message: string): unknown
}

export async function readCall(request: IncomingMessage, path: string, query: URLSearchParams): Promise<Call | null> {
  let sent = ''
  for await (const chunk of request.setEncoding('utf8')) {
    sent += String(chunk)
    if (sent.length > 40_000_000) return null
  }
  try {
    const body: unknown = sent === '' ? null : JSON.parse(sent)
    const header = (name: string): string => String(request.headers[name] ?? '')
    return { method: request.method ?? 'GET', path, query, header, body }
  } catch {
    return null
  }
}

export function bearerOf(call: Call): string {
  return call.header('authorization').replace(/^Bearer /, '')
}

export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
