import { codeRow } from '@postern/contract'

import type { Clock } from '../base/clock.ts'
import type { Injection } from '../core/connections/injection.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import type { DataPlane } from '../core/runtime.ts'
import type { Connected } from './connected.ts'
import { refusedAs, wireEvaluation } from './wire.ts'

/** An exchange that goes on for as long as both sides like: an event stream, an upgraded connection. */
export interface LongRunning {
  readonly facts: RequestFacts
  /** The third party's credential that it goes on with; null where its route has no connection. */
  readonly borrowed: Injection | null
  /** What let it in holds no longer. It has been taken off the list. */
  refused(evaluation: Evaluation): void
}

/**
 * Asks again and again whether they would still be let in, so that none outlives its credential, or the connection
 * that it uses, by more than 5 s (design, section 5), of which 2 s are for news from another node.
 */
export interface LongRunningExchanges {
  add(exchange: LongRunning): void
  remove(exchange: LongRunning): void
  stop(): void
}

/** A turn is this long, and each of the list is asked once in a turn, some in each of its steps. */
const turnMs = 1_000
const stepsPerTurn = 4

export function createLongRunning(
  dataPlane: DataPlane,
  connections: Pick<Connected, 'inForce'>,
  clock: Clock,
  onFault: (error: unknown) => void,
): LongRunningExchanges {
  const running = new Set<LongRunning>()
  let turn: readonly LongRunning[] = []
  let step = 0
  const end = (exchange: LongRunning, evaluation: Evaluation): void => {
    if (running.delete(exchange)) exchange.refused(evaluation)
  }
  const heard = (exchange: LongRunning, evaluation: Evaluation): void => {
    const { borrowed } = exchange
    if (!holds(evaluation)) end(exchange, evaluation)
    else if (borrowed !== null && !connections.inForce(borrowed))
      end(exchange, refusedAs(evaluation, 'connection_unavailable'))
  }
  const fault = (exchange: LongRunning, error: unknown): void => {
    onFault(error)
    end(exchange, wireEvaluation(exchange.facts, 'internal_error'))
  }
  const ask = (exchange: LongRunning): void => {
    try {
      const facts = { ...exchange.facts, now: clock.now(), monotonic: clock.monotonic() }
      const found = dataPlane.evaluate(facts, false)
      if (!(found instanceof Promise)) return heard(exchange, found)
      found.then((evaluation) => heard(exchange, evaluation)).catch((error: unknown) => fault(exchange, error))
    } catch (error) {
      fault(exchange, error)
    }
  }
  const timer = clock.every(turnMs / stepsPerTurn, () => {
    if (step === 0) turn = [...running]
    const size = Math.ceil(turn.length / stepsPerTurn)
    for (const exchange of turn.slice(step * size, (step + 1) * size)) if (running.has(exchange)) ask(exchange)
    step = (step + 1) % stepsPerTurn
    if (step === 0) turn = []
  })
  return {
    add: (exchange) => void running.add(exchange),
    remove: (exchange) => void running.delete(exchange),
    stop: () => timer.stop(),
  }
}

/** It was charged when it began: that a limit would refuse another request now is nothing to it. */
function holds({ allowed, refusal }: Evaluation): boolean {
  return allowed || (refusal !== null && codeRow(refusal.code).stage === 'limits')
}
