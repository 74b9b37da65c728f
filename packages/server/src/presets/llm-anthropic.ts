import type { ErrorFacts, Preset } from '../core/apis/api.ts'
import { bytesOf, field } from '../core/llm/fields.ts'
import { memberValue } from '../core/llm/json-object.ts'
import type { LlmProvider, LlmReading } from '../core/llm/provider.ts'
import { countOf, type Tokens } from '../core/llm/tokens.ts'
import { openaiErrorHeaders } from './llm-openai-errors.ts'
import { commonProvider, generates, positive, tells, textOf } from './llm-parts.ts'
import { bearer, common, corsOf, header } from './parts.ts'

const places = [header('X-Api-Key'), bearer(['key', 'token', 'jwt'])]

const provider: LlmProvider = {
  ...commonProvider,
  id: 'anthropic',
  asked: (body) => ({
    model: textOf(body, 'model'),
    stream: memberValue(body, 'stream') === true,
    outputTokens: positive(memberValue(body, 'max_tokens')),
  }),
  counts,
  reading,
}

/** Anthropic's API under `/v1`: messages. Batches, files and administration have to be declared. */
export const anthropic: Preset = {
  ...common,
  id: 'llm',
  places,
  injectionPlace: { in: 'header', name: 'x-api-key' },
  llm: provider,
  routes: [
    generates('messages', '/v1/messages'),
    tells('messages.count_tokens', 'POST', '/v1/messages/count_tokens'),
    tells('models.list', 'GET', '/v1/models'),
    tells('models.get', 'GET', '/v1/models/{model}'),
  ],
  cors: corsOf(places),
  errorBody,
  errorHeaders: (error) => ['Request-Id', error.requestId, ...openaiErrorHeaders(error)],
}

/** `input_tokens` leaves out what the cache had or took. */
function counts(usage: unknown): Partial<Tokens> | null {
  const output = field(usage, 'output_tokens')
  if (output === undefined) return null
  const cachedInput = countOf(field(usage, 'cache_read_input_tokens'))
  const cacheWrite = countOf(field(usage, 'cache_creation_input_tokens'))
  return {
    input: countOf(field(usage, 'input_tokens')) + cachedInput + cacheWrite,
    cachedInput,
    cacheWrite,
    output: countOf(output),
    reasoning: countOf(field(field(usage, 'output_tokens_details'), 'thinking_tokens')),
  }
}

/** `message_start` counts what goes in, `message_delta` what has come out so far. */
function reading(event: unknown): LlmReading {
  const delta = field(event, 'delta')
  return {
    tokens: counts(field(event, 'usage')) ?? counts(field(field(event, 'message'), 'usage')),
    textBytes: ['text', 'thinking', 'partial_json'].reduce((sum, name) => sum + bytesOf(field(delta, name)), 0),
    onlyCounts: false,
  }
}

/** `{type: "error", error: {type, message}, request_id}`; `details.error_code` is ours. */
function errorBody(error: ErrorFacts): { contentType: string; body: string } {
  return {
    contentType: 'application/json',
    body: JSON.stringify({
      type: 'error',
      error: {
        type: typeOfStatus[error.status] ?? (error.status < 500 ? 'invalid_request_error' : 'api_error'),
        message: `${error.title}. ${error.detail}`,
        details: {
          error_code: error.code,
          ...(error.missingScopes.length > 0 && { missing_scopes: error.missingScopes }),
        },
      },
      request_id: error.requestId,
    }),
  }
}

const typeOfStatus: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
}
