import { codeRow } from '@postern/contract'

import type { Answer } from '../../core/decision/answer.ts'
import type { Evaluation, Standing } from '../../core/decision/evaluation.ts'
import type { RequestFacts } from '../../core/decision/facts.ts'
import { headerValues } from '../../core/decision/headers.ts'
import type { DataPlane } from '../../core/runtime.ts'
import { type HeaderRules, keylessQuery } from '../headers.ts'
import type { Question } from './question.ts'

/**
 * What the proxy hears of an allowed request: every identity header, empty where there is no value, so that a proxy
 * that copies them overwrites whatever a client sent under their names; the target to send on; and what the client
 * should see beside the API's answer.
 */
export function allowedAnswer(
  dataPlane: DataPlane,
  rules: HeaderRules,
  facts: RequestFacts,
  evaluation: Evaluation,
  standing: Standing,
  requestId: string,
): Answer {
  return {
    status: 200,
    headers: [
      'X-Request-Id',
      requestId,
      'Cache-Control',
      'no-store',
      ...dataPlane.identityHeaders(evaluation, requestId),
      'X-Postern-Uri',
      keylessTarget(rules, facts, evaluation),
      ...dataPlane.limitHeaders(evaluation, standing),
      ...dataPlane.corsHeaders(evaluation),
    ],
    body: '',
  }
}

/**
 * A preflight that may pass: the answer to the page itself, for proxies that hand it on. One that takes 204 for "let
 * it through" gets the identity of nobody with it.
 */
export function preflightAnswer(
  dataPlane: DataPlane,
  rules: HeaderRules,
  facts: RequestFacts,
  evaluation: Evaluation,
  requestId: string,
): Answer {
  const answer = dataPlane.answer(evaluation, null, requestId)
  const identity = dataPlane.identityHeaders(evaluation, requestId)
  const target = keylessTarget(rules, facts, evaluation)
  return { ...answer, headers: [...answer.headers, ...identity, 'X-Postern-Uri', target] }
}

/** Code and true status stand in headers of their own, for proxies that pass on only some statuses. */
export function refusedAnswer(
  answer: Answer,
  { refusal }: Evaluation,
  { statuses }: Pick<Question, 'statuses'>,
): Answer {
  if (refusal === null) return answer
  const { status } = codeRow(refusal.code)
  const mapped = statuses !== null && status < 500 && !statuses.has(status) ? 403 : status
  return {
    ...answer,
    status: mapped,
    headers: [...oneChallenge(answer.headers), 'X-Postern-Code', refusal.code, 'X-Postern-Status', String(status)],
  }
}

/** All challenges in one line (RFC 9110, section 11.6.1): nginx up to 1.23 passes on only one line. */
function oneChallenge(lines: readonly string[]): readonly string[] {
  const challenges = headerValues(lines, 'www-authenticate')
  if (challenges.length < 2) return lines
  const others = lines.filter((_, i) => lines[i - (i % 2)] !== 'WWW-Authenticate')
  return [...others, 'WWW-Authenticate', challenges.join(', ')]
}

/** The bytes that were decided, less the parameters in which the API takes keys. */
function keylessTarget(rules: HeaderRules, { target }: RequestFacts, { api, query }: Evaluation): string {
  if (api === null || query === '') return target
  return target.slice(0, target.length - query.length) + keylessQuery(query, rules.places(api))
}
