import type { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'

import { type Account, managementApiId } from '../core/accounts/account.ts'
import type { Api, Declaration, Environment, Plan } from '../core/apis/api.ts'
import type { Credential } from '../core/credentials/credential.ts'
import { type DefaultPairs, defaultPairs } from '../core/credentials/default-pairs.ts'
import type { Issued, Mint } from '../core/credentials/issue.ts'
import { beyond } from '../core/credentials/rights.ts'
import { type AcceptedTerms, type Circumstances, type Terms, acceptTerms } from '../core/credentials/terms.ts'
import { modelTerms } from '../core/llm/terms.ts'
import { budgetRules } from './budgets.ts'
import { callerOf } from './caller.ts'
import type { ManagementParts } from './parts.ts'
import { Refused } from './problems.ts'
import { instantOrNull } from './times.ts'
import { credentialView, issuedSecretView, limitRules } from './views.ts'

/** What issuing, importing and changing credentials have in common. */
export function termsOf(body: wire.CreateCredential): Terms {
  return {
    name: body.name,
    kind: body.kind,
    apis: body.apis,
    scopes: body.scopes,
    role: body.role ?? null,
    ipAllow: body.ip_allow ?? [],
    originAllow: body.origin_allow,
    limits: limitRules(body.limits),
    llm: modelTerms(body.models ?? null, budgetRules(body.budgets, '/budgets')),
    oauth: clientTerms(body.oauth),
    notBefore: instantOrNull(body.not_before),
    expiresAt: instantOrNull(body.expires_at),
    metadata: body.metadata ?? {},
  }
}

function clientTerms(oauth: wire.CreateOAuthClient | undefined): Terms['oauth'] {
  if (oauth === undefined) return null
  return { type: oauth.type, grantTypes: oauth.grant_types, redirectUris: oauth.redirect_uris ?? [] }
}

export function circumstances(
  parts: ManagementParts,
  request: FastifyRequest,
  account: Pick<Account, 'id' | 'plan'>,
): Circumstances {
  const now = parts.clock.now()
  const creatorScopes = callerOf(request).principal.scopes
  return { declaration: parts.dataPlane.declaration(), account, creatorScopes, madeAt: now, now, touched: null }
}

export function accept(terms: Terms, around: Circumstances): AcceptedTerms {
  const accepted = acceptTerms(terms, around)
  if (accepted.ok) return accepted.value
  throw new Refused(accepted.error.code, { errors: accepted.error.errors })
}

export function mintOf(parts: ManagementParts): Mint {
  const { ids, random, sealing, clock } = parts
  return { brand: parts.dataPlane.declaration().brand, ids, random, sealing, now: clock.now() }
}

export function planOf(declaration: Declaration, account: Pick<Account, 'plan'>): Plan | null {
  return declaration.plans.get(account.plan) ?? null
}

export async function pairsForProject(
  parts: ManagementParts,
  account: Pick<Account, 'id' | 'plan'>,
  environment: Environment,
): Promise<DefaultPairs> {
  const declaration = parts.dataPlane.declaration()
  const plan = planOf(declaration, account)
  if (plan === null) return { issued: [], skipped: [] }
  const room = plan.maxKeys === null ? null : plan.maxKeys - (await liveCount(parts, account.id, plan.maxKeys))
  return defaultPairs(declaration, plan, environment, room, mintOf(parts))
}

/** Live credentials of the account, counted as far as `enough`. */
async function liveCount(parts: ManagementParts, account: string, enough: number): Promise<number> {
  const every = { account, project: null, kind: null, state: null, api: null, search: null, scope: null }
  const now = parts.clock.now()
  const isLive = ({ state, expiresAt }: Credential) =>
    (state === 'active' || state === 'blocked') && (expiresAt === null || expiresAt > now)
  let count = 0
  let after: string | null = null
  do {
    const page = await parts.store.credentials.list({ ...every, limit: 100, after })
    count += page.items.filter(isLive).length
    after = page.next
  } while (after !== null && count < enough)
  return count
}

/** Whoever gets to know a management secret can use its rights: nobody is given more than they have. */
export function refuseMoreRights(request: FastifyRequest, credential: Credential, declaration: Declaration): void {
  if (credential.kind !== 'management') return
  const role = credential.role
  const ofRole = role === null ? [] : (declaration.apis.get(managementApiId)?.roles.get(role) ?? [])
  const excess = beyond(callerOf(request).principal.scopes, [...credential.scopes, ...ofRole])
  if (excess.length > 0) {
    throw new Refused('rights_exceeded', {
      errors: [{ path: '', message: 'the credential has rights that you do not have' }],
    })
  }
}

/** APIs of a credential that are still declared. */
export function apisOf(credential: Credential, declaration: Declaration): readonly Api[] {
  return credential.apis.flatMap((id) => declaration.apis.get(id) ?? [])
}

export function issuedView(credential: Credential, issued: Issued, now: number): wire.IssuedCredential {
  const pairId = credential.form === 'pair' ? credential.publicId : null
  const { value } = issued
  const { secret } = issued.credential
  return {
    credential: credentialView(credential, now),
    secret: secret === null || value === null ? null : issuedSecretView(secret, value, pairId, now),
  }
}

/** In the order in which they were made. */
export function issuedViews(
  credentials: readonly Credential[],
  pairs: DefaultPairs,
  now: number,
): wire.IssuedCredential[] {
  return pairs.issued.flatMap((issued) => {
    const credential = credentials.find(({ id }) => id === issued.credential.id)
    return credential === undefined ? [] : [issuedView(credential, issued, now)]
  })
}
