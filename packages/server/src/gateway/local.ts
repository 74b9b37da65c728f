import type { Code } from '@postern/contract'
import { codeRow } from '@postern/contract'

import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { LocalRoute } from '../core/oauth/local-route.ts'
import { sendAnswer, sendInternalError } from './answer.ts'
import type { GatewayContext } from './context.ts'
import type { Exchange } from './exchange.ts'
import { InspectedBody } from './inspected-body.ts'
import { refusedAs } from './wire.ts'

/** Nothing that is asked of an endpoint of our own needs more, or longer. */
const bounds = { bytesMax: 65_536, idleMs: 10_000, wholeMs: 30_000 }

/** What Postern serves at this address itself; null: the request is none of that. */
export function localOf({ route, refusal }: Evaluation): LocalRoute | null {
  const reached = refusal?.code === 'served_by_postern' || refusal?.code === 'insecure_transport'
  return reached && route !== null ? route.local : null
}

/** Reads the body whole and hands the request over. The endpoint decides about it, and says what the log is told. */
export function serveLocal(
  context: GatewayContext,
  exchange: Exchange,
  facts: RequestFacts,
  matched: Evaluation,
  local: LocalRoute,
): void {
  const { requestId } = exchange
  // So far nothing is refused: the client may leave before anything is.
  exchange.decided({ ...matched, allowed: true, refusal: null, trace: null })
  const refuse = (code: Code): void => {
    const refused = refusedAs(matched, code, codeRow(code).status === 503 ? { retryAfterMs: 1_000 } : {})
    exchange.decided(refused)
    sendAnswer(context, exchange, context.dataPlane.answer(refused, null, requestId))
    exchange.meter('answered')
  }
  const go = (outcome: Buffer | Code): void => {
    if (typeof outcome === 'string') return refuse(outcome)
    context
      .endpointAt(local)({ facts, body: outcome, requestId, matched })
      .then(({ answer, evaluation }) => {
        if (exchange.gone) return
        exchange.decided(evaluation)
        sendAnswer(context, exchange, answer)
        exchange.meter('answered')
      })
      .catch((error: unknown) => sendInternalError(context, exchange, error))
  }
  if (exchange.gone) return exchange.meter('client_gone')
  if (exchange.bodyBroken) return refuse('request_malformed')
  if (!exchange.body.present) return go(Buffer.alloc(0))
  new InspectedBody(context, exchange, matched, bounds, go).start()
}
