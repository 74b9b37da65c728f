import type { Code } from '@postern/contract'

import { formatIp, ipInRanges } from '../../base/ip.ts'
import { managementApiId } from '../accounts/account.ts'
import type { Api, Plan } from '../apis/api.ts'
import { upstreamOf } from '../apis/regions.ts'
import type { RequestContract } from '../apis/request-contract.ts'
import type { Charge, LimitRefusal } from '../limits/limiter.ts'
import type { RecordTable } from '../records/table.ts'
import type { Candidate } from './candidate.ts'
import type { Refusal, Step } from './evaluation.ts'
import { placeName } from './extract.ts'
import { announcesBody, headerValue, headerValues } from './headers.ts'
import type { Rights } from './held-rights.ts'
import { budgetHint, comparedModel, estimateOf, testModel } from './model-checks.ts'
import { refuse } from './refuse.ts'
import { missingScopes } from './rights.ts'
import { shown } from './trail.ts'

/** One check of a known credential: null where it passes. `compared` is for the trace and names no allowed value. */
export interface Check {
  readonly step: Step
  test(candidate: Candidate): Refusal | null
  compared(candidate: Candidate): string
}

const state: Check = {
  step: 'state',
  test: ({ table, holder, facts }) => {
    switch (table.state(holder, facts.now)) {
      case 'active':
        return null
      case 'blocked':
        return refuse('credential_blocked')
      case 'revoked':
      case 'compromised':
        return refuse('credential_revoked')
    }
  },
  compared: ({ table, holder, facts }) => `state ${table.state(holder, facts.now)}`,
}

const expiry: Check = {
  step: 'expiry',
  test: ({ table, holder, facts }) =>
    facts.now >= table.expiresAt(holder)
      ? refuse('credential_expired', { hint: `It expired on ${instant(table.expiresAt(holder))}.` })
      : null,
  compared: ({ table, holder, facts }) => `now ${instant(facts.now)}, expires ${instant(table.expiresAt(holder))}`,
}

const notBefore: Check = {
  step: 'not_before',
  test: ({ table, holder, facts }) =>
    facts.now < table.notBefore(holder)
      ? refuse('credential_not_yet_valid', { hint: `It becomes valid on ${instant(table.notBefore(holder))}.` })
      : null,
  compared: ({ table, holder, facts }) =>
    `now ${instant(facts.now)}, valid from ${instant(table.notBefore(holder), 'the start')}`,
}

const rotation: Check = {
  step: 'rotation',
  test: ({ table, secretRow, facts }) =>
    facts.now >= table.notAfter(secretRow)
      ? refuse('secret_rotated_out', { hint: `Its overlap ended on ${instant(table.notAfter(secretRow))}.` })
      : null,
  compared: ({ table, secretRow, facts }) =>
    secretRow === -1
      ? 'a token: it is bound to no secret'
      : `now ${instant(facts.now)}, secret ends ${instant(table.notAfter(secretRow))}`,
}

const token: Check = {
  step: 'token',
  test: ({ token: held, facts }) => {
    if (held === null) return null
    if (facts.now >= held.expiresAt)
      return refuse('token_expired', { hint: `It expired on ${instant(held.expiresAt)}.` })
    if (held.revoked) return refuse('token_revoked')
    return held.notBefore !== null && facts.now < held.notBefore
      ? refuse('credential_not_yet_valid', { hint: `The token becomes valid on ${instant(held.notBefore)}.` })
      : null
  },
  compared: ({ token: held, facts }) =>
    held === null
      ? 'no token'
      : `token ${held.id ?? 'of another issuer'}${held.revoked ? ', revoked' : ''}, now ${instant(facts.now)}, expires ${instant(held.expiresAt)}`,
}

const grant: Check = {
  step: 'grant',
  test: ({ grant: given }) => {
    if (given === null) return null
    if (!given.active) return refuse('grant_withdrawn')
    return given.role === null
      ? refuse('grant_withdrawn', { hint: 'Whoever gave it is no longer an active member of the account.' })
      : null
  },
  compared: ({ grant: given }) => {
    if (given === null) return 'no grant'
    return `grant ${given.id} ${given.active ? 'active' : 'withdrawn'}, its user ${given.role === null ? 'no active member' : `is ${given.role}`}`
  },
}

/** A pair beside a token that decides: both have to be of one project. An unknown one and a foreign one read alike. */
const beside: Check = {
  step: 'beside',
  test: ({ beside: pair, table, row }) => {
    if (pair === null || (pair !== -1 && table.project(pair) === table.project(row))) return null
    return refuse('credential_unknown', { hint: 'The pair beside the token is not one of the same project.' })
  },
  compared: ({ beside: pair }) => (pair === null ? 'one credential' : 'a pair beside the token'),
}

const apiFit: Check = {
  step: 'api_fit',
  test: ({ table, row, holder, api, token: held }) => {
    if (held !== null && held.scopesOn(api.id) === null) return refuse('wrong_audience')
    const made = table.profile(holder).apis.has(api.id) && (holder === row || table.profile(row).apis.has(api.id))
    return made ? null : refuse('wrong_api')
  },
  compared: ({ api, token: held }) => `API ${api.id}${held === null ? '' : ', audience and credential of the token'}`,
}

const environment: Check = {
  step: 'environment',
  test: ({ table, row, api, environment: fixed }) => {
    const held = table.environment(row)
    const served = held !== null && (api.id === managementApiId || api.upstreams[held] !== null)
    return served && (fixed === null || fixed === held) ? null : refuse('wrong_environment')
  },
  compared: ({ table, row, environment: fixed }) =>
    `credential ${table.environment(row) ?? 'unknown'}, address ${fixed ?? 'serves both'}`,
}

const region: Check = {
  step: 'region',
  test: ({ table, row, api, region: fixed }) => {
    const held = table.region(row)
    if (api.id === managementApiId) return null
    const served = upstreamOf(api, table.environment(row) ?? 'live', held) !== null
    if (served && (fixed === null || fixed === held)) return null
    return refuse('wrong_region', {
      hint: held === null ? 'Its project has no region.' : `Its project is in the region "${held}".`,
    })
  },
  compared: ({ table, row, region: fixed }) =>
    `credential ${table.region(row) ?? 'without a region'}, address ${fixed ?? 'serves all'}`,
}

const account: Check = {
  step: 'account',
  test: ({ table, row, holder }) =>
    isActive(table, row) && (holder === row || isActive(table, holder)) ? null : refuse('account_suspended'),
  compared: ({ table, row, holder }) => {
    const own = `account ${isActive(table, row) ? 'active' : 'suspended'}`
    return holder === row ? own : `${own}, the client's ${isActive(table, holder) ? 'active' : 'suspended'}`
  },
}

const plan: Check = {
  step: 'plan',
  test: ({ plan: held, holderPlan, api, table, row, holder, facts }) => {
    const allowed =
      holderPlan !== null &&
      includes(holderPlan, api) &&
      holderPlan.kinds.has(table.kind(holder)) &&
      (holderPlan.maxKeyAgeMs === null || facts.now - table.createdAt(holder) < holderPlan.maxKeyAgeMs) &&
      (holder === row || (held !== null && includes(held, api)))
    return allowed ? null : refuse('plan_forbids')
  },
  compared: ({ plan: held, holderPlan, table, row, holder, api }) => {
    const own = `plan ${held?.id ?? 'unknown'}, API ${api.id}, kind ${table.kind(holder)}`
    return holder === row ? own : `${own}, the client's plan ${holderPlan?.id ?? 'unknown'}`
  },
}

const ip: Check = {
  step: 'ip',
  test: ({ table, row, holder, holderOwn, ip: client }) => {
    const project = table.project(row).ranges
    const ranges = holderOwn?.ranges ?? null
    const ofClient = holder === row ? null : table.project(holder).ranges
    const allowed =
      (project === null || ipInRanges(client, project)) &&
      (ranges === null || ipInRanges(client, ranges)) &&
      (ofClient === null || ipInRanges(client, ofClient))
    return allowed ? null : refuse('ip_not_allowed', { hint: `The request came from ${formatIp(client)}.` })
  },
  compared: ({ table, row, holder, holderOwn, ip: client }) => {
    const listed =
      holderOwn?.ranges != null || table.project(row).ranges !== null || table.project(holder).ranges !== null
    return `client ${formatIp(client)}, ${listed ? 'a list applies' : 'no list'}`
  },
}

const origin: Check = {
  step: 'origin',
  test: ({ table, holder, holderOwn, origin: sent }) => {
    const origins = holderOwn?.origins ?? null
    if (origins === null) return table.kind(holder) === 'publishable' ? refuse('origin_not_allowed') : null
    return sent !== null && origins.matches(sent) ? null : refuse('origin_not_allowed')
  },
  compared: ({ holderOwn, origin: sent }) =>
    `origin ${shown(sent)}, ${(holderOwn?.origins ?? null) === null ? 'no list' : 'a list applies'}`,
}

const kind: Check = {
  step: 'kind',
  test: ({ table, holder, route, presented, form }) => {
    const held = table.kind(holder)
    const { accept, kinds } = presented.place
    if (held === 'oauth_client' && form === 'key') {
      return refuse('kind_not_allowed', { hint: 'It is the secret of an OAuth client: the token endpoint takes it.' })
    }
    if (!accept.includes(form) || (kinds !== null && !kinds.includes(held))) return refuse('kind_not_allowed')
    return held === 'publishable' && !route.clientSide ? refuse('kind_not_allowed') : null
  },
  compared: ({ table, holder, route, presented, form }) =>
    `${form === 'key' ? '' : `${form} of `}kind ${table.kind(holder)}, ${placeName(presented.place)}, ${route.clientSide ? 'client-side' : 'server-side'} operation`,
}

const scopes: Check = {
  step: 'scopes',
  test: (candidate) => {
    const { route } = candidate
    if (route.scopes.any.length === 0 && route.scopes.all.length === 0) return null
    const missing = missingScopes(route.scopes, rightsOfCandidate(candidate))
    return missing.length === 0 ? null : refuse('scope_missing', { missingScopes: missing })
  },
  compared: (candidate) =>
    `needs ${[...candidate.route.scopes.all, ...candidate.route.scopes.any].join(' ') || 'none'}, has ${rightsOfCandidate(candidate).scopes.join(' ') || 'none'}`,
}

const unmatched: Check = {
  step: 'unmatched',
  test: (candidate) => candidate.unmatched,
  compared: (candidate) => (candidate.unmatched === null ? candidate.route.id : 'no route, unmatched: refuse'),
}

/** Path, query and headers, and the body once it was read (OpenAPI; routes with `validate`). */
const contract: Check = {
  step: 'contract',
  test: (candidate) => {
    if (candidate.route.contract === null) return null
    const fault = contractFault(candidate.route.contract, candidate)
    return fault === null ? null : refuse('request_invalid', { hint: fault })
  },
  compared: ({ route, facts }) =>
    route.contract === null
      ? 'not validated'
      : `operation ${route.id}, ${route.contract.body === null || facts.body !== undefined ? 'whole' : 'head only'}`,
}

function contractFault(against: RequestContract, { facts, prefixLength, query }: Candidate): string | null {
  const path = facts.target.slice(prefixLength, facts.target.length - query.length) || '/'
  const ofHead = against.headFault(path, query, facts.headers)
  if (ofHead !== null || against.body === null) return ofHead
  const { headers, body } = facts
  // What was judged as the one could be read as the other behind the gateway.
  if (headerValues(headers, 'content-type').length > 1) return 'It has more than one Content-Type.'
  if (body === undefined) return null
  return against.body.fault(headerValue(headers, 'content-type'), announcesBody(headers), body)
}

const rateLimits: Check = {
  step: 'rate_limits',
  test: (candidate) => limitRefusal('rate_limited', candidate.limiter.testRates(chargeOf(candidate))),
  compared: (candidate) => {
    const count = chargeOf(candidate).limits.reduce((sum, list) => sum + list.length, 0)
    return `${counted(count, 'limit')}, cost ${candidate.route.cost}`
  },
}

const quotas: Check = {
  step: 'quotas',
  test: (candidate) => limitRefusal('quota_exceeded', candidate.limiter.testQuotas(chargeOf(candidate))),
  compared: (candidate) => `${counted(chargeOf(candidate).quotas.length, 'quota')}, cost ${candidate.route.cost}`,
}

const model: Check = {
  step: 'model',
  test: (candidate) => testModel(candidate, chargeOf(candidate)),
  compared: comparedModel,
}

const budgets: Check = {
  step: 'budgets',
  test: (candidate) => {
    const charge = chargeOf(candidate)
    const refusal = candidate.limiter.testBudgets(charge)
    return refusal === null
      ? null
      : refuse('budget_exceeded', {
          retryAfterMs: refusal.standing.retryAfterMs,
          hint: budgetHint(refusal.standing, charge),
          limit: refusal.standing,
        })
  },
  compared: (candidate) => counted(chargeOf(candidate).llm?.reservations.length ?? 0, 'budget'),
}

/** In the order of the design's table: the first that fails decides. Proofs of possession go before the grant. */
export const checks: readonly Check[] = [
  state,
  expiry,
  notBefore,
  rotation,
  token,
  grant,
  beside,
  apiFit,
  environment,
  region,
  account,
  plan,
  ip,
  origin,
  kind,
  scopes,
  unmatched,
  contract,
  rateLimits,
  quotas,
]

/** The same for an API of language models: the model belongs to the fit, budgets to the limits. */
export const checksOfModels: readonly Check[] = [
  ...checks.slice(0, checks.indexOf(rateLimits)),
  model,
  rateLimits,
  quotas,
  budgets,
]

/** Keys and pairs mint tokens only where their API says so. */
const minting: Check = {
  step: 'kind',
  test: ({ table, row, api }) =>
    table.kind(row) === 'oauth_client' || api.oauth.fromKeys ? null : refuse('kind_not_allowed'),
  compared: ({ table, row, api }) =>
    `kind ${table.kind(row)}, API ${api.id} ${api.oauth.fromKeys ? 'has tokens from keys' : 'has tokens for OAuth clients'}`,
}

/** What becomes of a client by itself, whatever it asks for. One that only names itself has no secret to be rotated. */
export const namingChecks: readonly Check[] = [state, expiry, notBefore, account, ip]
export const authenticationChecks: readonly Check[] = [state, expiry, notBefore, rotation, account, ip]

/** Whether a client may have what somebody allowed it on the API. */
export const actingChecks: readonly Check[] = [state, expiry, notBefore, apiFit, account, plan, ip]

/** Whether what was issued to a credential for the API is still good, wherever it is used from. */
export const standingChecks: readonly Check[] = [state, expiry, notBefore, apiFit, account, plan]

/** Whether a client may have a token for the API, to act for itself. */
export const mintingChecks: readonly Check[] = [
  minting,
  state,
  expiry,
  notBefore,
  apiFit,
  environment,
  region,
  account,
  plan,
  ip,
  origin,
]

export function rightsOfCandidate(candidate: Candidate): Rights {
  return (candidate.held ??= heldBy(candidate))
}

const noRights: Rights = { scopes: [], holds: () => false }

function heldBy({
  plan: ofPlan,
  holderPlan,
  table,
  row,
  holder,
  api,
  rights,
  token: held,
  grant: given,
}: Candidate): Rights {
  if (ofPlan === null || holderPlan === null) return noRights
  const client = rights.of(table.profile(holder), holderPlan, api)
  if (held === null) return client
  const granted = held.scopesOn(api.id) ?? []
  if (given === null) return rights.ofToken(held, granted, { api, client, grant: null, member: null })
  if (given.role === null) return noRights
  return rights.ofToken(held, granted, {
    api,
    client,
    grant: rights.of(table.profile(row), ofPlan, api),
    member: rights.ofMember(given.role, ofPlan, api),
  })
}

function isActive(table: RecordTable, row: number): boolean {
  return table.account(row).record?.suspended === false
}

function includes({ apis }: Plan, api: Api): boolean {
  return apis.has(api.id) || api.id === managementApiId
}

function chargeOf(candidate: Candidate): Charge {
  candidate.charge ??= makeCharge(candidate)
  return candidate.charge
}

function makeCharge(candidate: Candidate): Charge {
  const { table, row, own, plan: held, api, route, ip: client, facts } = candidate
  const slot = table.account(row)
  if (slot.record === null || held === null) throw new Error('limits are asked for before account and plan')
  return candidate.limiter.chargeOf({
    row,
    account: slot.record,
    accountNumber: slot.number,
    projectNumber: table.project(row).number,
    plan: held,
    route,
    own,
    ip: client,
    now: facts.now,
    monotonic: facts.monotonic,
    llm: api.llm === null ? null : estimateOf(candidate),
  })
}

function limitRefusal(code: Code, refusal: LimitRefusal | null): Refusal | null {
  return refusal === null
    ? null
    : refuse(code, {
        retryAfterMs: refusal.standing.retryAfterMs,
        hint: `The limit is named "${refusal.standing.name}".`,
        limit: refusal.standing,
      })
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function instant(epochMs: number, absent = 'never'): string {
  return Number.isNaN(epochMs) ? absent : new Date(epochMs).toISOString()
}
