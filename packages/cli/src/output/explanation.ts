import type { Explanation } from '../stop.ts'
import type { Paint } from './colour.ts'

/** Three lines: what, why, what to type next; then the request id and the page that says more. */
export function explanationText(explanation: Explanation, paint: Paint): string {
  const { what, why, next, requestId, docs } = explanation
  const lines = [`${paint('red', 'error')}  ${paint('bold', what)}`, `why    ${why}`, `next   ${next}`]
  if (requestId !== undefined) lines.push(paint('dim', `id     ${requestId}`))
  if (docs !== undefined) lines.push(paint('dim', `docs   ${docs}`))
  return `${lines.join('\n')}\n`
}
