import type { ErrorFacts } from '../core/apis/api.ts'

/** `{error: {message, type, param, code}}`; `code` is ours, and what a client of theirs shows as its `code`. */
export function openaiErrorBody(error: ErrorFacts): { contentType: string; body: string } {
  return {
    contentType: 'application/json',
    body: JSON.stringify({
      error: {
        message: `${error.title}. ${error.detail}`,
        type: error.code === 'budget_exceeded' ? 'insufficient_quota' : (typeOfStatus[error.status] ?? 'api_error'),
        param: error.code === 'model_not_allowed' ? 'model' : null,
        code: error.code,
        request_id: error.requestId,
        ...(error.missingScopes.length > 0 && { missing_scopes: error.missingScopes }),
      },
    }),
  }
}

const typeOfStatus: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  405: 'invalid_request_error',
  408: 'timeout_error',
  413: 'invalid_request_error',
  429: 'rate_limit_error',
}

/** Clients of OpenAI and Anthropic obey it: what only the next period can cure is not worth a second try. */
export function openaiErrorHeaders(error: ErrorFacts): readonly string[] {
  return lastsLong.has(error.code) ? ['X-Should-Retry', 'false'] : []
}

const lastsLong: ReadonlySet<string> = new Set(['budget_exceeded', 'quota_exceeded'])
