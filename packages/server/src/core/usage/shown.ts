import { withoutKeys } from '../credentials/masking.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import type { RequestFacts } from '../decision/facts.ts'
import { headerValue } from '../decision/headers.ts'

/** What a log keeps of a request: no key of ours, nor what was presented as one, wherever a client put it. */

/** At most 256 characters. */
export function shownUserAgent({ presented }: Evaluation, facts: RequestFacts): string | null {
  const text = headerValue(facts.headers, 'user-agent')
  return text === null ? null : withoutSecrets(text, presented?.secret).slice(0, 256)
}

/**
 * Without the query, where a key may have travelled; at most 1,024 characters. Of a page of the console its pattern:
 * links that were sent to somebody end with a secret.
 */
export function shownPath({ presented, route }: Evaluation, { target }: RequestFacts): string {
  if (route?.local?.endpoint === 'page') return route.pattern
  const mark = target.indexOf('?')
  return withoutSecrets(mark === -1 ? target : target.slice(0, mark), presented?.secret).slice(0, 1024)
}

/** What was presented as a credential is not kept either, whatever its format, where it was put a second time. */
function withoutSecrets(text: string, presented = ''): string {
  const held = presented.length >= 8 && presented.length <= text.length
  return withoutKeys(held ? text.replaceAll(presented, '***') : text)
}
