import type { Preset } from '../core/apis/api.ts'
import { bytesOf, field, items } from '../core/llm/fields.ts'
import { type JsonObject, memberValue } from '../core/llm/json-object.ts'
import type { LlmAsked, LlmProvider, LlmReading } from '../core/llm/provider.ts'
import { countOf, type Tokens } from '../core/llm/tokens.ts'
import { openaiErrorBody, openaiErrorHeaders } from './llm-openai-errors.ts'
import {
  commonProvider,
  embeds,
  generates,
  generatesAsked,
  positive,
  takesFile,
  tells,
  textOf,
  timesChoices,
  unmetered,
} from './llm-parts.ts'
import { bearer, common, corsOf } from './parts.ts'

const places = [bearer(['key', 'token', 'jwt'])]

const openaiProvider: LlmProvider = {
  ...commonProvider,
  id: 'openai',
  asked: openaiAsked,
  counts: openaiCounts,
  reading: openaiReading,
}

/**
 * OpenAI's API under `/v1`: what runs a model. Files, batches, assistants, administration belong to the operator's
 * account as a whole, and are reached only where routes for them are declared.
 */
export const openai: Preset = {
  ...common,
  id: 'llm',
  places,
  llm: openaiProvider,
  routes: [
    generatesAsked('chat.completions', '/v1/chat/completions'),
    generatesAsked('completions', '/v1/completions'),
    generates('responses', '/v1/responses'),
    generates('images.generations', '/v1/images/generations'),
    embeds('embeddings', '/v1/embeddings'),
    unmetered('audio.speech', '/v1/audio/speech'),
    takesFile('audio.transcriptions', '/v1/audio/transcriptions'),
    takesFile('audio.translations', '/v1/audio/translations'),
    takesFile('images.edits', '/v1/images/edits'),
    tells('responses.input_tokens', 'POST', '/v1/responses/input_tokens'),
    tells('moderations', 'POST', '/v1/moderations'),
    tells('models.list', 'GET', '/v1/models'),
    tells('models.get', 'GET', '/v1/models/{model}'),
  ],
  cors: corsOf(places),
  errorBody: openaiErrorBody,
  errorHeaders: openaiErrorHeaders,
}

/** Ollama, vLLM, LM Studio, Groq, Together and whatever else speaks OpenAI's form under `/v1`. */
export const ollama: Preset = {
  ...openai,
  llm: { ...openaiProvider, id: 'ollama' },
  routes: [
    generatesAsked('chat.completions', '/v1/chat/completions'),
    generatesAsked('completions', '/v1/completions'),
    generates('responses', '/v1/responses'),
    embeds('embeddings', '/v1/embeddings'),
    tells('models.list', 'GET', '/v1/models'),
    tells('models.get', 'GET', '/v1/models/{model}'),
  ],
}

export function openaiAsked(body: JsonObject): LlmAsked {
  const bounds = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'].map((name) => memberValue(body, name))
  const bound = bounds.map(positive).find((each) => each !== null) ?? null
  return {
    model: textOf(body, 'model'),
    stream: memberValue(body, 'stream') === true,
    outputTokens: timesChoices(bound, memberValue(body, 'n'), memberValue(body, 'best_of')),
  }
}

/** `usage` of chat completions and embeddings, and, with other names, of responses and images. */
export function openaiCounts(usage: unknown): Partial<Tokens> | null {
  const [ofInput, ofOutput] =
    field(usage, 'prompt_tokens') === undefined ? (['input', 'output'] as const) : (['prompt', 'completion'] as const)
  const input = field(usage, `${ofInput}_tokens`)
  if (input === undefined) return null
  const inputDetails = field(usage, `${ofInput}_tokens_details`)
  return {
    input: countOf(input),
    cachedInput: countOf(field(inputDetails, 'cached_tokens')),
    cacheWrite: countOf(field(inputDetails, 'cache_write_tokens')),
    output: countOf(field(usage, `${ofOutput}_tokens`)),
    reasoning: countOf(field(field(usage, `${ofOutput}_tokens_details`), 'reasoning_tokens')),
  }
}

/** A chunk of a chat completion, or an event of a response, which has the response itself at its end. */
export function openaiReading(event: unknown): LlmReading {
  const choices = field(event, 'choices')
  const tokens = openaiCounts(field(event, 'usage')) ?? openaiCounts(field(field(event, 'response'), 'usage'))
  if (choices === undefined) return { tokens, textBytes: bytesOf(field(event, 'delta')), onlyCounts: false }
  return {
    tokens,
    textBytes: items(choices).reduce<number>((sum, choice) => sum + textBytesOfChoice(choice), 0),
    onlyCounts: tokens !== null && items(choices).length === 0,
  }
}

function textBytesOfChoice(choice: unknown): number {
  const delta = field(choice, 'delta')
  const calls = items(field(delta, 'tool_calls')).map((call) => field(field(call, 'function'), 'arguments'))
  const texts = [
    field(choice, 'text'),
    ...['content', 'refusal', 'reasoning', 'reasoning_content'].map((name) => field(delta, name)),
    ...calls,
  ]
  return texts.reduce<number>((sum, text) => sum + bytesOf(text), 0)
}
