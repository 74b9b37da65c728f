import type { PresetRoute } from '../core/apis/api.ts'
import { type JsonObject, memberValue } from '../core/llm/json-object.ts'
import type { LlmOperation, LlmProvider } from '../core/llm/provider.ts'
import { opaque, runsNoModel } from '../core/llm/provider.ts'
import { anyOf } from './parts.ts'

/** What providers have in common; each says only where it differs. */
export const commonProvider = {
  usageMember: 'usage',
  // Whatever a client sends under these names, the operator's account alone is used.
  requestHeaders: [
    'authorization',
    'x-api-key',
    'api-key',
    'x-goog-api-key',
    'x-goog-user-project',
    'openai-organization',
    'openai-project',
    'anthropic-workspace-id',
    'cookie',
  ],
  answerHeaders: ['openai-organization', 'openai-project', 'anthropic-organization-id', 'set-cookie'],
  ofPath: () => null,
  contradicts: () => false,
} as const satisfies Partial<LlmProvider>

const fromBody: LlmOperation = { model: 'body', metered: true, output: true, asksForUsage: false }

/** Text goes in and comes out. */
export const generates = (id: string, path: string): PresetRoute => route(id, 'POST', path, fromBody)
/** The same, in a stream that names its tokens only when it is asked to. */
export const generatesAsked = (id: string, path: string): PresetRoute =>
  route(id, 'POST', path, { ...fromBody, asksForUsage: true })
/** Vectors or verdicts come out. */
export const embeds = (id: string, path: string): PresetRoute => route(id, 'POST', path, { ...fromBody, output: false })
/** A model runs, and what it takes is not counted in tokens. */
export const unmetered = (id: string, path: string): PresetRoute =>
  route(id, 'POST', path, { ...fromBody, metered: false, output: false })
/** A form with a file: its model is not read. */
export const takesFile = (id: string, path: string): PresetRoute => route(id, 'POST', path, opaque)
/** No model runs. */
export const tells = (id: string, method: 'GET' | 'POST', path: string): PresetRoute =>
  route(id, method, path, runsNoModel)

export function route(id: string, method: 'GET' | 'POST', path: string, llm: LlmOperation): PresetRoute {
  return { id, methods: [method], path, scopes: anyOf([]), clientSide: false, llm }
}

export function textOf(body: JsonObject, name: string): string | null {
  const value = memberValue(body, name)
  return typeof value === 'string' ? value : null
}

/** A whole number above 0; null for everything else. */
export function positive(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null
}

/** The bound of one choice, for all of them. */
export function timesChoices(bound: number | null, ...choices: readonly unknown[]): number | null {
  return bound === null ? null : bound * Math.max(1, ...choices.map((count) => positive(count) ?? 1))
}
