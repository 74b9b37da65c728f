import { wire } from '@postern/contract'

import { parseCidr } from '../../base/ip.ts'
import { type Result, fail, ok } from '../../base/result.ts'
import { type Metadata, managementApiId } from '../accounts/account.ts'
import type { Api, Declaration, Plan } from '../apis/api.ts'
import { validOriginEntry } from '../apis/origin.ts'
import type { LimitRule } from '../limits/rules.ts'
import { isModelName } from '../llm/models.ts'
import type { ModelTerms } from '../llm/terms.ts'
import type { CredentialKind } from './credential.ts'
import { nearest } from './nearest.ts'
import { grantTypes, type GrantType, type OAuthClient } from './oauth-client.ts'
import { redirectUriFault } from './redirect-uri.ts'
import { beyond, beyondPlan } from './rights.ts'

/** What is asked of a credential, by whoever issues, imports or changes one. */
export interface Terms {
  readonly name: string
  readonly kind: CredentialKind
  readonly apis: readonly string[]
  readonly scopes: readonly string[]
  readonly role: string | null
  readonly ipAllow: readonly string[]
  /** Undefined: not said; null: origins are not checked. */
  readonly originAllow: readonly string[] | null | undefined
  readonly limits: readonly LimitRule[]
  readonly llm: ModelTerms | null
  /** Null: it is no OAuth client. */
  readonly oauth: OAuthTerms | null
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly metadata: Metadata
}

export interface OAuthTerms extends Omit<OAuthClient, 'grantTypes'> {
  /** Undefined: not said, and then what its type and its redirect URIs are good for. */
  readonly grantTypes: readonly GrantType[] | undefined
}

/** Where and by whom. */
export interface Circumstances {
  readonly declaration: Declaration
  readonly account: { readonly id: string; readonly plan: string }
  /** Rights of the management credential that asks. */
  readonly creatorScopes: readonly string[]
  /** When the credential was or will be made: ages count from here. */
  readonly madeAt: number
  readonly now: number
  /** Of a change: the fields of the wire that it touches; the others are kept without another look. Null: all. */
  readonly touched: ReadonlySet<string> | null
}

export interface AcceptedTerms extends Omit<Terms, 'oauth'> {
  readonly originAllow: readonly string[] | null
  readonly oauth: OAuthClient | null
  readonly form: 'key' | 'pair'
  readonly declaredApis: readonly Api[]
}

export interface TermsRefusal {
  /** A value that does not fit what is declared, or more than plan or creator have. */
  readonly code: 'not_acceptable_value' | 'rights_exceeded'
  readonly errors: readonly Fault[]
}

export interface Fault {
  /** JSON pointer in the words of the wire. */
  readonly path: string
  readonly message: string
}

const listEntriesMax = 100
const redirectUrisMax = 20

/**
 * Checks terms against what is declared, then against plan and creator; the first group of faults is answered
 * whole. The plan is the ceiling of scopes for the API's own operations; over the management API a creator can
 * give only what it has.
 */
export function acceptTerms(terms: Terms, circumstances: Circumstances): Result<AcceptedTerms, TermsRefusal> {
  const { declaration, account } = circumstances
  const plan = declaration.plans.get(account.plan) ?? null
  const visible = visibleApis(declaration, plan)
  const apis = terms.apis.flatMap((id) => declaration.apis.get(id) ?? [])
  const faults = [
    ...apiFaults(terms, apis, visible),
    ...scopeFaults(terms, apis),
    ...ipFaults(terms.ipAllow),
    ...originFaults(terms, apis),
    ...limitFaults(terms.limits),
    ...modelFaults(terms.llm, apis),
    ...clientFaults(terms),
    ...timeFaults(terms, plan, circumstances),
  ].filter((fault) => isTouched(fault, circumstances))
  if (faults.length > 0) return fail({ code: 'not_acceptable_value', errors: faults })
  const excess = [...excessFaults(terms, apis, plan, circumstances)].filter((fault) => isTouched(fault, circumstances))
  if (excess.length > 0) return fail({ code: 'rights_exceeded', errors: excess })
  return ok({
    ...terms,
    originAllow: originsOf(terms, apis),
    oauth: terms.oauth === null ? null : { ...terms.oauth, grantTypes: grantTypesOf(terms.oauth) },
    expiresAt: terms.expiresAt ?? latestEnd(plan, circumstances.madeAt),
    form: terms.kind === 'oauth_client' ? 'key' : (apis[0]?.preset.form ?? 'key'),
    declaredApis: apis,
  })
}

/** With the APIs of a credential its scopes, role and origins are looked at again, and one time with the other. */
function isTouched(fault: Fault, { touched }: Circumstances): boolean {
  const field = fault.path.split('/')[1]
  if (touched === null || field === undefined || touched.has(field)) return true
  if (field === 'scopes' || field === 'role' || field === 'origin_allow' || field === 'budgets')
    return touched.has('apis')
  return field === 'not_before' && touched.has('expires_at')
}

/** Names that may be proposed to whoever misspelt one. */
function visibleApis(declaration: Declaration, plan: Plan | null): readonly string[] {
  return [...declaration.apis.keys()].filter((id) => plan?.apis.has(id) === true || id === managementApiId)
}

function* apiFaults(terms: Terms, apis: readonly Api[], visible: readonly string[]): Generator<Fault> {
  if (terms.apis.length === 0) yield { path: '/apis', message: 'must name at least one API' }
  for (const [index, id] of terms.apis.entries()) {
    const known = apis.find((api) => api.id === id)
    if (known === undefined)
      yield { path: `/apis/${index}`, message: `is not a declared API${didYouMean(id, visible)}` }
    else if (known.retired) yield { path: `/apis/${index}`, message: 'is retired: nothing new is issued for it' }
  }
  const management = terms.apis.includes(managementApiId)
  if (terms.kind === 'management' && (!management || terms.apis.length > 1)) {
    yield { path: '/apis', message: `a management credential is for the API "${managementApiId}" alone` }
  }
  if (terms.kind !== 'management' && management) {
    yield { path: '/apis', message: `the API "${managementApiId}" takes management credentials alone` }
  }
  // A client presents its tokens, and they have one form everywhere.
  if (terms.kind !== 'oauth_client' && new Set(apis.map((api) => api.preset.form)).size > 1) {
    yield { path: '/apis', message: 'some of these APIs take keys and others pairs: one credential cannot be both' }
  }
}

function* scopeFaults(terms: Terms, apis: readonly Api[]): Generator<Fault> {
  const scopes = new Set(
    terms.kind === 'management' ? Object.keys(wire.rights) : apis.flatMap((api) => [...api.scopes.keys()]),
  )
  for (const [index, scope] of terms.scopes.entries()) {
    if (scope === '*' || scopes.has(scope) || (terms.kind === 'management' && isGroup(scope, scopes))) continue
    yield { path: `/scopes/${index}`, message: `is not a scope of these APIs${didYouMean(scope, [...scopes])}` }
  }
  const roles = apis.flatMap((api) => [...api.roles.keys()])
  if (terms.role !== null && !roles.includes(terms.role)) {
    yield { path: '/role', message: `is not a role of these APIs${didYouMean(terms.role, roles)}` }
  }
}

function isGroup(scope: string, known: ReadonlySet<string>): boolean {
  return scope.endsWith('.*') && [...known].some((name) => name.startsWith(scope.slice(0, -1)))
}

export function* ipFaults(entries: readonly string[]): Generator<Fault> {
  if (entries.length > listEntriesMax) yield { path: '/ip_allow', message: `has more than ${listEntriesMax} entries` }
  for (const [index, entry] of entries.entries()) {
    if (parseCidr(entry) === null) yield { path: `/ip_allow/${index}`, message: 'is not an IP address or CIDR range' }
  }
}

function* originFaults(terms: Terms, apis: readonly Api[]): Generator<Fault> {
  const { originAllow, kind } = terms
  if (originAllow === undefined) return
  if (kind !== 'publishable') {
    if (originAllow !== null)
      yield { path: '/origin_allow', message: 'only publishable credentials are bound to origins' }
    return
  }
  if (originAllow === null) {
    yield { path: '/origin_allow', message: 'a publishable credential needs a list of origins; it may be empty' }
    return
  }
  if (originAllow.length > listEntriesMax)
    yield { path: '/origin_allow', message: `has more than ${listEntriesMax} entries` }
  for (const [index, entry] of originAllow.entries()) {
    const valid = validOriginEntry(entry, wildcardAllowed(apis))
    if (!valid.ok) yield { path: `/origin_allow/${index}`, message: valid.error }
  }
}

function wildcardAllowed(apis: readonly Api[]): boolean {
  return apis.every((api) => api.preset.wildcardOrigin)
}

/** In the form in which they are compared. */
function originsOf(terms: Terms, apis: readonly Api[]): readonly string[] | null {
  if (terms.kind !== 'publishable') return null
  return (terms.originAllow ?? []).flatMap((entry) => {
    const valid = validOriginEntry(entry, wildcardAllowed(apis))
    return valid.ok ? [valid.value] : []
  })
}

function* limitFaults(limits: readonly LimitRule[]): Generator<Fault> {
  const names = new Set<string>()
  for (const [index, limit] of limits.entries()) {
    if (names.has(limit.name)) yield { path: `/limits/${index}/name`, message: 'is used twice' }
    if (limit.windowMs < 1000) yield { path: `/limits/${index}/window`, message: 'is shorter than a second' }
    names.add(limit.name)
  }
}

function* modelFaults(llm: ModelTerms | null, apis: readonly Api[]): Generator<Fault> {
  if (llm === null) return
  const ofModels = apis.flatMap((api) => (api.llm === null ? [] : [api.llm]))
  const path = llm.models === null ? '/budgets' : '/models'
  if (ofModels.length === 0) yield { path, message: 'is for APIs that run language models, and none of these does' }
  for (const [index, model] of (llm.models ?? []).entries()) {
    if (!isModelName(model)) yield { path: `/models/${index}`, message: 'is not the name of a model' }
  }
  const names = new Set<string>()
  for (const [index, { name, per, unit }] of llm.budgets.entries()) {
    if (names.has(name)) yield { path: `/budgets/${index}/name`, message: 'is used twice' }
    names.add(name)
    if (per !== 'credential') yield { path: `/budgets/${index}/per`, message: 'is credential for a budget of its own' }
    if (unit.kind === 'tokens') continue
    if (ofModels.some(({ prices }) => prices.prices[0]?.currency !== unit.currency))
      yield {
        path: `/budgets/${index}/currency`,
        message: 'is not the currency in which all these APIs declare prices',
      }
  }
}

function* clientFaults({ kind, oauth }: Terms): Generator<Fault> {
  if (kind !== 'oauth_client') {
    if (oauth !== null) yield { path: '/oauth', message: 'is for OAuth clients alone' }
    return
  }
  if (oauth === null) {
    yield { path: '/oauth', message: 'is needed: it says what the client may do at the token endpoint' }
    return
  }
  yield* grantTypeFaults(oauth)
  const { redirectUris, type } = oauth
  if (redirectUris.length > redirectUrisMax)
    yield { path: '/oauth/redirect_uris', message: `has more than ${redirectUrisMax} entries` }
  for (const [index, uri] of redirectUris.slice(0, redirectUrisMax).entries()) {
    const fault = redirectUris.indexOf(uri) < index ? 'is named twice' : redirectUriFault(uri, type)
    if (fault !== null) yield { path: `/oauth/redirect_uris/${index}`, message: fault }
  }
}

function* grantTypeFaults(oauth: OAuthTerms): Generator<Fault> {
  const path = '/oauth/grant_types'
  const types = grantTypesOf(oauth)
  if (types.length === 0) yield { path, message: 'must name at least one' }
  for (const [index, type] of types.entries()) {
    if (!grantTypes.includes(type))
      yield { path: `${path}/${index}`, message: `is not one of ${grantTypes.join(', ')}` }
    else if (types.indexOf(type) < index) yield { path: `${path}/${index}`, message: 'is named twice' }
  }
  if (types.includes('client_credentials') && oauth.type === 'public')
    yield { path, message: 'client_credentials needs a secret, and a public client has none' }
  if (types.includes('refresh_token') && !types.includes('authorization_code'))
    yield { path, message: 'refresh_token needs authorization_code: nothing else issues refresh tokens' }
  if (types.includes('authorization_code') && oauth.redirectUris.length === 0)
    yield { path: '/oauth/redirect_uris', message: 'needs at least one for authorization_code' }
}

/** A client that people are sent back to acts for people; one that has a secret alone acts for itself. */
function grantTypesOf({ type, grantTypes: said, redirectUris }: OAuthTerms): readonly GrantType[] {
  if (said !== undefined) return said
  return type === 'public' || redirectUris.length > 0 ? ['authorization_code', 'refresh_token'] : ['client_credentials']
}

function* timeFaults(terms: Terms, plan: Plan | null, { now, madeAt }: Circumstances): Generator<Fault> {
  const { notBefore, expiresAt } = terms
  const latest = latestEnd(plan, madeAt)
  const end = expiresAt ?? latest
  if (expiresAt !== null && expiresAt <= now) yield { path: '/expires_at', message: 'is not in the future' }
  if (expiresAt !== null && latest !== null && expiresAt > latest) {
    yield { path: '/expires_at', message: `is later than the plan allows, which is ${new Date(latest).toISOString()}` }
  }
  if (notBefore !== null && end !== null && notBefore >= end) {
    yield { path: '/not_before', message: 'is not before expires_at' }
  }
}

function latestEnd(plan: Plan | null, madeAt: number): number | null {
  const age = plan?.maxKeyAgeMs ?? null
  return age === null ? null : madeAt + age
}

function* excessFaults(
  terms: Terms,
  apis: readonly Api[],
  plan: Plan | null,
  { creatorScopes }: Circumstances,
): Generator<Fault> {
  if (plan === null) {
    yield { path: '', message: 'the plan of the account is not declared' }
    return
  }
  const role = terms.role
  const ofRole = role === null ? [] : apis.flatMap((api) => api.roles.get(role) ?? [])
  const management = terms.kind === 'management'
  if (!plan.kinds.has(terms.kind)) yield { path: '/kind', message: 'the plan does not include this kind of credential' }
  for (const [index, api] of terms.apis.entries()) {
    if (!management && !plan.apis.has(api))
      yield { path: `/apis/${index}`, message: 'the plan does not include this API' }
  }
  const beyondIt = (wanted: readonly string[]) =>
    management ? beyondPlanOfManagement(plan, wanted) : beyondPlan(plan, wanted, apis)
  for (const scope of beyondIt(terms.scopes))
    yield { path: pointer(terms, scope), message: 'the plan does not include this' }
  if (beyondIt(ofRole).length > 0) yield { path: '/role', message: 'the plan does not include all scopes of this role' }
  if (!management) return
  for (const scope of beyond(creatorScopes, terms.scopes))
    yield { path: pointer(terms, scope), message: 'its creator does not have this right' }
  if (beyond(creatorScopes, ofRole).length > 0)
    yield { path: '/role', message: 'its creator does not have all rights of this role' }
}

/** A plan bounds rights over the management API only where it names that API. */
function beyondPlanOfManagement(plan: Plan, wanted: readonly string[]): readonly string[] {
  return plan.scopes === null || !plan.apis.has(managementApiId) ? [] : beyond([...plan.scopes], wanted)
}

function pointer(terms: Terms, scope: string): string {
  return `/scopes/${terms.scopes.indexOf(scope)}`
}

function didYouMean(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === null ? '' : `; did you mean "${near}"?`
}
