import type { ErrorFacts, Preset } from '../core/apis/api.ts'
import type { LlmProvider } from '../core/llm/provider.ts'
import { openaiAsked, openaiCounts, openaiReading } from './llm-openai.ts'
import { commonProvider, embeds, generates, takesFile, tells, unmetered } from './llm-parts.ts'
import { bearer, common, corsOf } from './parts.ts'

const places = [bearer(['key', 'token', 'jwt'])]

/** Bodies and answers in OpenAI's form; a stream always ends with its counts, and refuses to be asked for them. */
const provider: LlmProvider = {
  ...commonProvider,
  id: 'mistral',
  asked: openaiAsked,
  counts: openaiCounts,
  reading: openaiReading,
}

/** Mistral's API under `/v1`: what runs a model that the request names. Agents, files and jobs have to be declared. */
export const mistral: Preset = {
  ...common,
  id: 'llm',
  places,
  llm: provider,
  routes: [
    generates('chat.completions', '/v1/chat/completions'),
    generates('fim.completions', '/v1/fim/completions'),
    embeds('embeddings', '/v1/embeddings'),
    embeds('moderations', '/v1/moderations'),
    embeds('chat.moderations', '/v1/chat/moderations'),
    embeds('classifications', '/v1/classifications'),
    unmetered('ocr', '/v1/ocr'),
    takesFile('audio.transcriptions', '/v1/audio/transcriptions'),
    tells('models.list', 'GET', '/v1/models'),
    tells('models.get', 'GET', '/v1/models/{model}'),
  ],
  cors: corsOf(places),
  errorBody,
}

/** `{object: "error", message, type, param, code}`. */
function errorBody(error: ErrorFacts): { contentType: string; body: string } {
  return {
    contentType: 'application/json',
    body: JSON.stringify({
      object: 'error',
      message: `${error.title}. ${error.detail}`,
      type: error.status === 429 ? 'rate_limited' : error.status < 500 ? 'invalid_request_error' : 'internal_error',
      param: error.code === 'model_not_allowed' ? 'model' : null,
      code: error.code,
      request_id: error.requestId,
      ...(error.missingScopes.length > 0 && { missing_scopes: error.missingScopes }),
    }),
  }
}
