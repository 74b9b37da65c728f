import type { Evaluation } from '../decision/evaluation.ts'
import type { Charge } from '../limits/charge.ts'
import type { Taken } from '../llm/answer-meter.ts'
import { costOf } from '../llm/prices.ts'
import type { ModelCount, RequestModel } from './usage.ts'

/** What a request to a language model took. */
export interface ModelTaken extends Taken {
  /** What was reserved for it. */
  readonly charge: Charge
  /** Null where it could not be read. */
  readonly model: string | null
}

/** Combinations held until the next flush; above it models fold into `*`. */
const combinationsMax = 10_000

type MutableCount = { -readonly [Key in keyof ModelCount]: ModelCount[Key] }

/** What requests to language models took since the last flush, by credential, API and model. */
export class ModelUsage {
  #counts = new Map<string, MutableCount>()

  add({ principal, api }: Evaluation, taken: ModelTaken, minute: number): void {
    if (principal === null || api === null) return
    const use = modelOf(taken)
    const metrics: readonly (readonly [string, number])[] = [
      ['requests', 1],
      ['input', use.input],
      ['cached_input', use.cachedInput],
      ['output', use.output],
      ['reasoning', use.reasoning],
      [`cost ${use.currency ?? ''}`, use.cost ?? 0],
    ]
    for (const [metric, count] of metrics) {
      if (count === 0) continue
      const { account, project, credential } = principal
      const model = this.#counts.size < combinationsMax ? (use.model ?? '*') : '*'
      const key = `${minute} ${credential} ${api.id} ${metric} ${model}`
      const known = this.#counts.get(key)
      if (known !== undefined) known.count += count
      else this.#counts.set(key, { minute, account, project, credential, api: api.id, model, metric, count })
    }
  }

  take(): readonly ModelCount[] {
    const taken = [...this.#counts.values()]
    this.#counts = new Map()
    return taken
  }
}

/** As the request log keeps it. */
export function modelOf({ model, tokens, estimated, charge }: ModelTaken): RequestModel {
  const { input, cachedInput, output, reasoning } = tokens
  const price = charge.llm?.price ?? null
  return {
    model,
    input,
    cachedInput,
    output,
    reasoning,
    cost: price === null ? null : costOf(price, tokens),
    currency: price?.currency ?? null,
    estimated,
  }
}
