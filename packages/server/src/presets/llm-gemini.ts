import type { ErrorFacts, Preset } from '../core/apis/api.ts'
import { bytesOf, field, items } from '../core/llm/fields.ts'
import { type JsonObject, memberValue } from '../core/llm/json-object.ts'
import { type LlmOperation, type LlmProvider, runsNoModel } from '../core/llm/provider.ts'
import { countOf, type Tokens } from '../core/llm/tokens.ts'
import { commonProvider, positive, route, tells, textOf, timesChoices } from './llm-parts.ts'
import { common, corsOf, header, query } from './parts.ts'

const places = [header('X-Goog-Api-Key'), query('key')]

const provider: LlmProvider = {
  ...commonProvider,
  id: 'gemini',
  usageMember: 'usageMetadata',
  ofPath,
  contradicts,
  asked: (body) => {
    const config = memberValue(body, 'generationConfig') ?? memberValue(body, 'generation_config')
    const bound = positive(field(config, 'maxOutputTokens') ?? field(config, 'max_output_tokens'))
    const choices = field(config, 'candidateCount') ?? field(config, 'candidate_count')
    return { model: null, stream: false, outputTokens: timesChoices(bound, choices) }
  },
  counts,
  reading: (event) => ({
    tokens: counts(field(event, 'usageMetadata')),
    textBytes: textBytesOf(event),
    onlyCounts: false,
  }),
}

const inPath: LlmOperation = { model: 'path', metered: false, output: false, asksForUsage: false }

/** Google's Gemini API: models, and what is done with them. Files, caches and tuning have to be declared. */
export const gemini: Preset = {
  ...common,
  id: 'llm',
  places,
  injectionPlace: { in: 'header', name: 'x-goog-api-key' },
  llm: provider,
  routes: ['v1beta', 'v1'].flatMap((version) => [
    route(`${version}.models.call`, 'POST', `/${version}/models/{model}`, inPath),
    tells(`${version}.models.get`, 'GET', `/${version}/models/{model}`),
    tells(`${version}.models.list`, 'GET', `/${version}/models`),
  ]),
  cors: corsOf(places),
  errorBody,
}

const operations: Readonly<Record<string, LlmOperation>> = {
  generateContent: { ...inPath, metered: true, output: true },
  streamGenerateContent: { ...inPath, metered: true, output: true },
  embedContent: { ...inPath, metered: true },
  batchEmbedContents: { ...inPath, metered: true },
  countTokens: runsNoModel,
}

/** `…/models/{model}:{operation}`; what is not known by name runs a model and is not metered. */
function ofPath(path: string): ReturnType<LlmProvider['ofPath']> {
  const match = /\/models\/([^/:]+):([A-Za-z]+)$/.exec(path)
  if (match === null) return null
  const [, model = '', name = ''] = match
  return { model, operation: (Object.hasOwn(operations, name) ? operations[name] : undefined) ?? inPath }
}

/** The body may repeat the model, also in each of several requests. */
function contradicts(body: JsonObject, model: string): boolean {
  const named = [textOf(body, 'model'), ...items(memberValue(body, 'requests')).map((each) => field(each, 'model'))]
  return named.some((each) => typeof each === 'string' && each.replace(/^models\//, '') !== model)
}

/** What came out has no thoughts in it, and what went in nothing of the tools. */
function counts(usage: unknown): Partial<Tokens> | null {
  const prompt = field(usage, 'promptTokenCount')
  if (prompt === undefined) return null
  const reasoning = countOf(field(usage, 'thoughtsTokenCount'))
  return {
    input: countOf(prompt) + countOf(field(usage, 'toolUsePromptTokenCount')),
    cachedInput: countOf(field(usage, 'cachedContentTokenCount')),
    output: countOf(field(usage, 'candidatesTokenCount')) + reasoning,
    reasoning,
  }
}

function textBytesOf(event: unknown): number {
  const parts = items(field(event, 'candidates')).flatMap((each) => items(field(field(each, 'content'), 'parts')))
  return parts.reduce<number>((sum, part) => sum + bytesOf(field(part, 'text')), 0)
}

/** `{error: {code, message, status, details}}` (google.rpc.Status); `reason` is our code. */
function errorBody(error: ErrorFacts): { contentType: string; body: string } {
  return {
    contentType: 'application/json; charset=UTF-8',
    body: JSON.stringify({
      error: {
        code: error.status,
        message: `${error.title}. ${error.detail}`,
        status: statusNames[error.status] ?? (error.status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'),
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: error.code,
            domain: 'postern',
            metadata: {
              request_id: error.requestId,
              ...(error.missingScopes.length > 0 && { missing_scopes: error.missingScopes.join(' ') }),
            },
          },
        ],
      },
    }),
  }
}

const statusNames: Readonly<Record<number, string>> = {
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  408: 'DEADLINE_EXCEEDED',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
