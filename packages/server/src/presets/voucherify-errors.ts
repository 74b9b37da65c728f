import type { Code } from '@postern/contract'

import type { ErrorFacts } from '../core/apis/api.ts'

/** `{code, key, message, details, request_id}`: JSON always, `code` is the status. */
export function voucherifyErrorBody(error: ErrorFacts): { contentType: string; body: string } {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(voucherifyError(error)) }
}

export function voucherifyError(error: ErrorFacts): Readonly<Record<string, unknown>> {
  const { key, message, details } = wordsOf(error)
  return { code: error.status, key, message, details, request_id: requestIdOf(error.requestId) }
}

interface Words {
  readonly key: string
  readonly message: string
  readonly details: string
}

function wordsOf(error: ErrorFacts): Words {
  const special = ofCode[error.code]
  if (special !== undefined) return special(error)
  const general = ofStatus[error.status]
  return general === undefined
    ? { key: error.code, message: error.title, details: error.detail }
    : { ...general, details: error.detail }
}

const ofStatus: Readonly<Record<number, Omit<Words, 'details'>>> = {
  400: { key: 'bad_request', message: 'Bad request' },
  401: { key: 'unauthorized', message: 'Unauthorized' },
  403: { key: 'forbidden', message: 'Forbidden' },
  404: { key: 'not_found', message: 'Resource not found' },
  429: { key: 'too_many_requests', message: 'Too many requests hit the API too quickly.' },
}

const ofCode: Partial<Record<Code, (error: ErrorFacts) => Words>> = {
  scope_missing: () => ({
    key: 'missing_required_permission',
    message: 'Missing permission',
    details: 'User does not have a required permission to perform this operation.',
  }),
  plan_forbids: () => ({
    key: 'missing_required_feature',
    message: 'Payment required',
    details: 'Your current plan does not include a feature required to perform this operation.',
  }),
  method_not_allowed: ({ allowMethods }) => ({
    key: 'method_not_allowed',
    message: 'HTTP Method Not Allowed',
    details: `Allowed methods: ${allowMethods.join(', ')}`,
  }),
}

/** "v-" and 18 hex digits: the last ones of our own id, so that either form finds the other. */
function requestIdOf(requestId: string): string {
  return `v-${requestId.slice(-18)}`
}
