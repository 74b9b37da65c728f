import type { LimitStanding } from '../apis/api.ts'
import { canonicalPath } from '../apis/path.ts'
import type { Estimate } from '../limits/budgets.ts'
import type { Charge } from '../limits/charge.ts'
import type { LlmApi } from '../llm/api.ts'
import { type LlmOperation, opaque } from '../llm/provider.ts'
import type { Candidate } from './candidate.ts'
import type { Refusal } from './evaluation.ts'
import { refuse } from './refuse.ts'
import { shown } from './trail.ts'

/** What a request to an API of language models asks for, as far as it is known. */
export interface AskedModel {
  readonly llm: LlmApi
  readonly operation: LlmOperation
  /** Null where it cannot be read, or none is named. */
  readonly model: string | null
  /** The body, which names the model or says how much may come out, has not been read yet. */
  readonly pending: boolean
}

/** Null where no model runs. */
export function askedModel({ api, route, facts }: Pick<Candidate, 'api' | 'route' | 'facts'>): AskedModel | null {
  const { llm } = api
  if (llm === null || route.llm === null) return null
  const pending = facts.llm === 'pending'
  const ofBody = typeof facts.llm === 'object' ? facts.llm.model : null
  switch (route.llm.model) {
    case 'none':
      return null
    case 'path': {
      const path = canonicalPath(facts.target)
      const found = path.ok ? llm.provider.ofPath(path.path) : null
      if (found === null) return { llm, operation: opaque, model: null, pending: false }
      return found.operation.model === 'none' ? null : { llm, ...found, pending }
    }
    case 'body':
      return { llm, operation: route.llm, model: ofBody, pending }
    case 'unreadable':
      return { llm, operation: route.llm, model: null, pending: false }
  }
}

/** The model is one that API, plan and credential include, and what it takes can be counted where it has to be. */
export function testModel(candidate: Candidate, charge: Charge): Refusal | null {
  const asked = askedModel(candidate)
  if (asked === null) return null
  const { llm, operation, model, pending } = asked
  const lists = listsOf(candidate, llm)
  const reservations = charge.llm?.reservations ?? []
  if (model === null) {
    if (pending || (lists.length === 0 && reservations.length === 0)) return null
    return refuse('model_not_allowed', { hint: 'Which model it would run cannot be read from this request.' })
  }
  if (!lists.every((list) => list.allows(model)))
    return refuse('model_not_allowed', { hint: `It names "${shown(model)}".` })
  if (reservations.length === 0) return null
  if (!operation.metered)
    return refuse('model_not_allowed', {
      hint: 'A budget applies, and what this operation takes is not counted in tokens.',
    })
  // Of what is not read nothing can be reserved, and what it took is never told.
  if (!pending && typeof candidate.facts.llm !== 'object')
    return refuse('model_not_allowed', {
      hint: 'A budget applies, and how much this request asks for cannot be read from it.',
    })
  return charge.llm?.price === null && reservations.some(({ rule }) => rule.unit.kind === 'money')
    ? refuse('model_not_allowed', { hint: `A budget of money applies, and "${shown(model)}" has no price.` })
    : null
}

export function comparedModel(candidate: Candidate): string {
  const asked = askedModel(candidate)
  if (asked === null) return 'runs no model'
  const lists = listsOf(candidate, asked.llm).length
  const named =
    asked.model === null
      ? asked.pending
        ? 'model in a body not read yet'
        : 'model unreadable'
      : `model ${shown(asked.model)}`
  return `${named}, ${lists === 0 ? 'no list' : lists === 1 ? 'a list applies' : `${lists} lists apply`}`
}

function listsOf({ plan, holderPlan, holderOwn }: Candidate, llm: LlmApi) {
  const plans = plan === holderPlan ? [plan] : [plan, holderPlan]
  return [llm.models, ...plans.map((each) => each?.models ?? null), holderOwn?.models ?? null].filter(
    (list) => list !== null,
  )
}

/** What a request may take at most, for its reservations; null where it runs no model. */
export function estimateOf(candidate: Candidate): Estimate | null {
  const asked = askedModel(candidate)
  if (asked === null) return null
  const { llm, operation, model, pending } = asked
  const price = model === null ? null : llm.prices.find(model, candidate.facts.now)
  const sent = candidate.facts.llm
  if (pending || typeof sent !== 'object') return { price, input: 0, output: llm.defaultOutputTokens, pending }
  const output = operation.output ? (sent.outputTokens ?? llm.defaultOutputTokens) : 0
  return { price, input: sent.inputTokens, output, pending }
}

/** Names the budget that refuses, what is left of it and what the request might take. */
export function budgetHint({ name, remaining, requests }: LimitStanding, charge: Charge): string {
  const reservation = charge.llm?.reservations.find(({ rule }) => rule.name === name && rule.amount === requests)
  if (reservation === undefined) return `The budget is named "${name}".`
  const { rule, amount } = reservation
  const shownAmount = (value: number): string =>
    rule.unit.kind === 'tokens' ? `${value} tokens` : `${(value / 1_000_000).toFixed(6)} ${rule.unit.currency}`
  return `The budget is named "${name}": ${shownAmount(remaining)} are left, and this request may take ${shownAmount(amount)}.`
}
