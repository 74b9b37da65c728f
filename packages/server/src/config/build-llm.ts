import type { ConfigBudget, ConfigLlm, ConfigPrice } from '@postern/contract'

import type { Api, Plan, Preset } from '../core/apis/api.ts'
import type { BudgetRule } from '../core/limits/rules.ts'
import type { LlmApi } from '../core/llm/api.ts'
import { compileModels, type ModelList } from '../core/llm/models.ts'
import { createPriceList, type Price } from '../core/llm/prices.ts'
import { llmPresetId, llmPresets } from '../presets/index.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

/** The provider's preset. Another one beside it would contradict it. */
export function llmPresetOf(written: ConfigLlm, preset: string | undefined, path: Path, { report }: Context): Preset {
  if (preset !== undefined && preset !== llmPresetId)
    report.error([...path, 'preset'], `an API with "llm" has the preset ${llmPresetId}, and needs not say so`)
  return llmPresets[written.provider]
}

const defaultOutputTokens = 4_096

export function buildLlm(written: ConfigLlm | undefined, preset: Preset, path: Path, context: Context): LlmApi | null {
  if (written === undefined || preset.llm === null) return null
  return {
    provider: preset.llm,
    models: written.models === undefined ? null : compileModels(written.models),
    prices: createPriceList(buildPrices(written.prices ?? [], [...path, 'prices'], context)),
    defaultOutputTokens: written.default_output ?? defaultOutputTokens,
    asksForUsage: (written.stream_usage ?? 'ask') === 'ask',
  }
}

function buildPrices(written: readonly ConfigPrice[], path: Path, context: Context): readonly Price[] {
  const { report } = context
  const currencies = new Set(written.map(({ currency }) => currency))
  if (currencies.size > 1) report.error(path, `are in ${[...currencies].join(' and ')}: an API has one currency`)
  const taken = new Set<string>()
  return written.map((price, index) => {
    const at = [...path, index]
    const from = Date.parse(`${price.from}T00:00:00Z`)
    if (Number.isNaN(from) || new Date(from).toISOString().slice(0, 10) !== price.from)
      report.error([...at, 'from'], `there is no day ${price.from}`)
    const key = `${price.model} ${price.from}`
    if (taken.has(key)) report.error(at, `the model "${price.model}" has a price of ${price.from} already`)
    taken.add(key)
    const scale = price.per === '1M' ? 1 : 1_000
    const of = (field: 'input' | 'cached_input' | 'cache_write' | 'output', otherwise: number): number => {
      const amount = price[field]
      return amount === undefined ? otherwise : microUnits(amount, [...at, field], context) * scale
    }
    const input = of('input', 0)
    return {
      model: price.model,
      from,
      currency: price.currency,
      input,
      cachedInput: of('cached_input', input),
      cacheWrite: of('cache_write', input),
      output: of('output', 0),
    }
  })
}

/** An amount of money in whole micro-units. */
function microUnits(amount: number, path: Path, { report }: Context): number {
  const micros = Math.round(amount * 1_000_000)
  if (Math.abs(amount * 1_000_000 - micros) > 1e-3) report.error(path, 'has more than six decimals')
  return micros
}

export function buildBudgets(written: readonly ConfigBudget[], path: Path, context: Context): readonly BudgetRule[] {
  const { report } = context
  return written.map(({ name, per, tokens, money, currency, period }, index) => {
    const at = [...path, index]
    if ((tokens === undefined) === (money === undefined)) report.error(at, 'needs either "tokens" or "money"')
    if ((money === undefined) !== (currency === undefined))
      report.error(at, money === undefined ? '"currency" is for a budget of money' : '"currency" is missing')
    if (money === undefined || currency === undefined)
      return { name, per, unit: { kind: 'tokens' }, amount: tokens ?? 1, period }
    const amount = microUnits(money, [...at, 'money'], context)
    if (amount === 0) report.error([...at, 'money'], 'must be more than 0')
    return { name, per, unit: { kind: 'money', currency }, amount, period }
  })
}

export function buildPlanModels(written: readonly string[] | undefined): ModelList | null {
  return written === undefined ? null : compileModels(written)
}

/**
 * What a budget of money cannot count is refused beforehand: prices in another currency, and models that are named
 * one by one and have none. Of models that only a pattern names, the request is refused.
 */
export function checkMoney(plan: Plan, apis: ReadonlyMap<string, Api>, path: Path, { report }: Context): void {
  for (const [index, { unit }] of plan.budgets.entries()) {
    if (unit.kind === 'tokens') continue
    const at = [...path, 'budgets', index]
    for (const id of plan.apis) {
      const llm = apis.get(id)?.llm ?? null
      if (llm === null) continue
      const { prices, models } = llm
      const [first] = prices.prices
      if (first === undefined) {
        report.error(at, `the API "${id}" declares no prices, so money cannot be counted`)
        continue
      }
      if (first.currency !== unit.currency)
        report.error(at, `the prices of the API "${id}" are in ${first.currency}, and nothing is converted`)
      const named = (models?.patterns ?? []).filter(
        (name) => !name.endsWith('*') && plan.models?.allows(name) !== false,
      )
      const without = named.filter((name) => prices.find(name, Number.MAX_SAFE_INTEGER) === null)
      if (without.length > 0) report.error(at, `the API "${id}" declares no price of ${without.join(', ')}`)
    }
  }
}
