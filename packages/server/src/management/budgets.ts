import type { wire } from '@postern/contract'

import type { BudgetRule } from '../core/limits/rules.ts'
import { Refused } from './problems.ts'

const microUnits = 1_000_000

export function budgetView({ name, per, unit, amount, period }: BudgetRule): wire.BudgetRule {
  return unit.kind === 'tokens'
    ? { name, per, tokens: amount, period }
    : { name, per, money: amount / microUnits, currency: unit.currency, period }
}

/** `path`: where they stand in the body, for what is said of them. */
export function budgetRules(budgets: readonly wire.BudgetRule[] | undefined, path: string): BudgetRule[] {
  return (budgets ?? []).map((budget, index) => budgetRule(budget, `${path}/${index}`))
}

function budgetRule({ name, per, tokens, money, currency, period }: wire.BudgetRule, path: string): BudgetRule {
  if (tokens !== undefined && money === undefined && currency === undefined)
    return { name, per, unit: { kind: 'tokens' }, amount: tokens, period }
  if (tokens !== undefined || money === undefined || currency === undefined)
    throw refused(path, 'needs either `tokens`, or `money` and `currency`')
  const amount = Math.round(money * microUnits)
  if (amount === 0 || Math.abs(money * microUnits - amount) > 1e-3)
    throw refused(`${path}/money`, 'must be more than 0 and have at most six decimals')
  return { name, per, unit: { kind: 'money', currency }, amount, period }
}

function refused(path: string, message: string): Refused {
  return new Refused('not_acceptable_value', { errors: [{ path, message }] })
}
