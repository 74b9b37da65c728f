import type { Answer } from '../decision/answer.ts'
import type { RequestFacts } from '../decision/facts.ts'

/** A request to an endpoint that Postern serves itself: whole, within the bounds of its listener. */
export interface EndpointRequest {
  readonly facts: RequestFacts
  /** Empty where there is none. */
  readonly body: Buffer
  readonly requestId: string
}

/** Never throws for what a client sent; what it throws is a fault of ours, which the listener answers with 500. */
export type Endpoint = (request: EndpointRequest) => Promise<Answer>
