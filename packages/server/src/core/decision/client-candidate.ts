import type { Api, Declaration, Plan } from '../apis/api.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { RecordTable } from '../records/table.ts'
import type { Candidate } from './candidate.ts'
import type { Check } from './checks.ts'
import type { Evaluation, Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import { headerValue } from './headers.ts'
import type { RightsCache } from './rights.ts'
import type { Trail } from './trail.ts'

/** Where a request to an endpoint for tokens came to, as matching found it. */
export type At = Pick<Evaluation, 'api' | 'route' | 'clientIp' | 'environment' | 'prefixLength' | 'query'>

export interface CandidateParts {
  readonly declaration: () => Declaration
  readonly table: RecordTable
  readonly limiter: Limiter
}

type Found = Pick<Candidate, 'row' | 'holder' | 'secretRow' | 'token' | 'grant' | 'form'>

/** Of a client itself, or of a key that stands for one. */
export const ownToken = { token: null, grant: null, form: 'key' } as const

/** A client, or a token that somebody asks about, as the checks see it. */
export function clientCandidate(
  parts: CandidateParts,
  rights: RightsCache,
  { facts, at, api }: { readonly facts: RequestFacts; readonly at: At; readonly api: Api },
  found: Found,
): Candidate {
  const { table, limiter } = parts
  const { route, prefixLength, query, environment, clientIp } = at
  if (route === null) throw new Error('an endpoint for tokens was reached without its route')
  return {
    facts,
    api,
    route,
    unmatched: null,
    prefixLength,
    query,
    environment,
    region: null,
    ip: clientIp,
    presented: { place: noPlace },
    origin: headerValue(facts.headers, 'origin'),
    form: found.form,
    row: found.row,
    holder: found.holder,
    secretRow: found.secretRow,
    own: table.own(found.row),
    holderOwn: table.own(found.holder),
    plan: planOf(parts, found.row),
    holderPlan: planOf(parts, found.holder),
    token: found.token,
    grant: found.grant,
    beside: null,
    table,
    limiter,
    rights,
    held: null,
    charge: null,
  }
}

const noPlace = { in: 'basic', accept: ['key'], kinds: null } as const

export function apiOf({ api }: At): Api {
  if (api === null) throw new Error('an endpoint for tokens was reached without an API')
  return api
}

export function planOf({ table, declaration }: CandidateParts, row: number): Plan | null {
  return declaration().plans.get(table.account(row).record?.plan ?? '') ?? null
}

export function run(checks: readonly Check[], candidate: Candidate, trail: Trail): Refusal | null {
  for (const check of checks) {
    const refusal = check.test(candidate)
    trail.add(check.step, refusal === null, () => check.compared(candidate), refusal?.code ?? 'internal_error')
    if (refusal !== null) return refusal
  }
  return null
}
