import type { Answer } from '../decision/answer.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import type { RequestFacts } from '../decision/facts.ts'

/** A request to an endpoint that Postern serves itself: whole, within the bounds of its listener. */
export interface EndpointRequest {
  readonly facts: RequestFacts
  /** Empty where there is none. */
  readonly body: Buffer
  readonly requestId: string
  /** What matching found: API, route, client address. Its refusal is `served_by_postern`. */
  readonly matched: Evaluation
}

/** An answer, and what the meter is told: who it was, or the reason that the caller may not see. */
export interface Served {
  readonly answer: Answer
  readonly evaluation: Evaluation
}

/** Never throws for what a client sent; what it throws is a fault of ours, which the listener answers with 500. */
export type Endpoint = (request: EndpointRequest) => Promise<Served>
