import type { ModelList } from './models.ts'
import type { PriceList } from './prices.ts'
import type { LlmProvider } from './provider.ts'

/** What makes an API one that runs language models. */
export interface LlmApi {
  readonly provider: LlmProvider
  /** Null: every model. */
  readonly models: ModelList | null
  readonly prices: PriceList
  /** Tokens that are reserved for what comes out where a request names no bound. */
  readonly defaultOutputTokens: number
  /** Whether streams are asked for their counts where the client did not ask. */
  readonly asksForUsage: boolean
}
