import type { Evaluation } from '../decision/evaluation.ts'
import type { RequestFacts } from '../decision/facts.ts'
import type { ModelTaken } from './model-usage.ts'

/** One request that has ended. */
export interface MeterEntry {
  readonly evaluation: Evaluation
  readonly facts: RequestFacts
  readonly requestId: string
  readonly status: number
  /** How an allowed request ended. */
  readonly ended: 'answered' | 'upstream_error' | 'client_gone'
  readonly latencyMs: number
  /** From the decision to the head of the upstream's answer; null where there was none. */
  readonly upstreamMs: number | null
  /** Bytes of the bodies that passed, or of the other protocol where the connection was upgraded. */
  readonly received: number
  readonly sent: number
  /** Null: no language model was asked. */
  readonly llm: ModelTaken | null
}
