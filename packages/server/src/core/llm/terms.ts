import type { BudgetRule } from '../limits/rules.ts'

/** What a credential of its own may ask of language models, within its plan. */
export interface ModelTerms {
  /** Names, of which a final `*` stands for any rest; null: every model of the plan. */
  readonly models: readonly string[] | null
  /** Beside those of the plan; each is counted for this credential alone. */
  readonly budgets: readonly BudgetRule[]
}

/** Null where nothing is said. */
export function modelTerms(models: readonly string[] | null, budgets: readonly BudgetRule[]): ModelTerms | null {
  return models === null && budgets.length === 0 ? null : { models, budgets }
}
