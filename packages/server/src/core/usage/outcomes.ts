import { type Code, codes } from '@postern/contract'

import type { MeterEntry } from './meter-entry.ts'

/** What a request is counted under: the code of its refusal, or how an allowed one ended. */
export type Outcome = Code | (typeof endings)[number]

const endings = ['upstream_error', '1xx', '2xx', '3xx', '4xx', '5xx', 'client_gone'] as const

/** All that there can be. The place in it is the number by which an outcome is counted. */
export const outcomes: readonly Outcome[] = [...endings, ...codeNames()]

const numbers: ReadonlyMap<Outcome, number> = new Map(outcomes.map((outcome, number) => [outcome, number]))

export function outcomeOf(entry: Pick<MeterEntry, 'evaluation' | 'ended' | 'status'>): Outcome {
  const { refusal } = entry.evaluation
  if (refusal !== null) return refusal.code
  if (entry.ended !== 'answered') return entry.ended
  const hundreds = Math.floor(entry.status / 100)
  return hundreds >= 1 && hundreds <= 5 ? (endings[hundreds] ?? 'upstream_error') : 'upstream_error'
}

export function outcomeNumber(outcome: Outcome): number {
  const number = numbers.get(outcome)
  if (number === undefined) throw new Error(`${outcome} is no outcome`)
  return number
}

function codeNames(): readonly Code[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table are the codes
  return Object.keys(codes) as Code[]
}
