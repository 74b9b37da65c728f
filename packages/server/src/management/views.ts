import type { wire } from '@postern/contract'

import type { Secret } from '../base/secret.ts'
import type { Account, Overrides, Project } from '../core/accounts/account.ts'
import type { Credential, LastUse, SecretInfo } from '../core/credentials/credential.ts'
import type { OAuthClient } from '../core/credentials/oauth-client.ts'
import { visibleAlways } from '../core/credentials/sealing.ts'
import { standingOf } from '../core/credentials/state.ts'
import type { LimitRule, QuotaRule } from '../core/limits/rules.ts'
import type { Page } from '../core/store.ts'
import { budgetRules, budgetView } from './budgets.ts'
import { duration, durationMs, instantOrNull, timestamp, timestampOrNull } from './times.ts'

/** How what the core knows looks on the wire. */
export function accountView(account: Account): wire.Account {
  return {
    id: account.id,
    name: account.name,
    plan: account.plan,
    state: account.state,
    suspended_reason: account.suspendedReason,
    overrides: account.overrides === null ? null : overridesView(account.overrides),
    metadata: { ...account.metadata },
    created_at: timestamp(account.createdAt),
    version: account.version,
  }
}

function overridesView(overrides: Overrides): wire.Overrides {
  return {
    limits: overrides.limits.map(limitView),
    quotas: overrides.quotas.map((quota) => ({ ...quota })),
    budgets: overrides.budgets.map(budgetView),
    until: timestampOrNull(overrides.until),
  }
}

export function limitView(limit: LimitRule): wire.LimitRule {
  const { name, per, requests, windowMs, burst } = limit
  return { name, per, requests, window: duration(windowMs), burst }
}

export function limitRules(limits: readonly wire.LimitRule[] | undefined): LimitRule[] {
  return (limits ?? []).map(({ name, per, requests, window, burst }) => ({
    name,
    per,
    requests,
    windowMs: durationMs(window),
    burst: burst ?? requests,
  }))
}

export function overridesOf(overrides: wire.Overrides | null | undefined): Overrides | null {
  if (overrides === null || overrides === undefined) return null
  const quotas: QuotaRule[] = overrides.quotas ?? []
  const budgets = budgetRules(overrides.budgets, '/overrides/budgets')
  return { limits: limitRules(overrides.limits), quotas, budgets, until: instantOrNull(overrides.until) }
}

export function projectView(project: Project): wire.Project {
  return {
    id: project.id,
    account: project.account,
    name: project.name,
    environment: project.environment,
    region: project.region,
    ip_allow: [...project.ipAllow],
    metadata: { ...project.metadata },
    created_at: timestamp(project.createdAt),
    version: project.version,
  }
}

export function credentialView(credential: Credential, now: number): wire.Credential {
  const standing = standingOf(credential, now)
  const unblocked = credential.state === 'blocked' && standing !== 'blocked'
  return {
    id: credential.id,
    public_id: credential.publicId,
    client_id: credential.kind === 'oauth_client' ? credential.publicId : null,
    form: credential.form,
    kind: credential.kind,
    account: credential.account,
    project: credential.project,
    apis: [...credential.apis],
    name: credential.name,
    scopes: [...credential.scopes],
    role: credential.role,
    ip_allow: [...credential.ipAllow],
    origin_allow: credential.originAllow === null ? null : [...credential.originAllow],
    limits: credential.limits.map(limitView),
    models: credential.llm === null || credential.llm.models === null ? null : [...credential.llm.models],
    budgets: (credential.llm?.budgets ?? []).map(budgetView),
    oauth: credential.oauth === null ? null : clientView(credential.oauth),
    not_before: timestampOrNull(credential.notBefore),
    expires_at: timestampOrNull(credential.expiresAt),
    state: standing,
    state_reason: unblocked ? null : credential.stateReason,
    state_at: unblocked ? timestampOrNull(credential.blockedUntil) : timestampOrNull(credential.stateAt),
    blocked_until: unblocked ? null : timestampOrNull(credential.blockedUntil),
    primary: credential.primary,
    exposed_at: timestampOrNull(credential.exposedAt),
    metadata: { ...credential.metadata },
    created_by: credential.createdBy,
    created_at: timestamp(credential.createdAt),
    version: credential.version,
  }
}

function clientView({ type, grantTypes, redirectUris }: OAuthClient): wire.OAuthClient {
  return { type, grant_types: [...grantTypes], redirect_uris: [...redirectUris] }
}

export function secretView(secret: SecretInfo, now: number): wire.Secret {
  const { lastRefused } = secret
  return {
    id: secret.id,
    credential: secret.credential,
    algorithm: secret.algorithm,
    hint: secret.hint,
    origin: secret.origin,
    visible_until: visibility(secret.visibleUntil, now),
    not_after: timestampOrNull(secret.notAfter),
    created_at: timestamp(secret.createdAt),
    exposed_at: timestampOrNull(secret.exposedAt),
    last_accepted: secret.lastAccepted === null ? null : lastUseView(secret.lastAccepted),
    last_refused: lastRefused === null ? null : { ...lastUseView(lastRefused), code: lastRefused.code },
  }
}

function lastUseView(use: LastUse): wire.LastUse {
  return { at: timestamp(use.at), ip: use.ip, user_agent: use.userAgent }
}

/** The last instant of ECMAScript time stands for `always`; a window that is over is none. */
function visibility(until: number | null, now: number): string | null {
  if (until === null || until <= now) return null
  return until === visibleAlways ? 'always' : timestamp(until)
}

/** A secret in clear, for the one answer that carries it. */
export function issuedSecretView(
  issued: {
    readonly id: string
    readonly hint: string | null
    readonly sealed: { readonly visibleUntil: number } | null
  },
  value: Secret,
  pairId: string | null,
  now: number,
): wire.IssuedSecret {
  return {
    id: issued.id,
    ...(pairId === null ? {} : { public_id: pairId }),
    value: value.reveal(),
    visible_until: visibility(issued.sealed?.visibleUntil ?? null, now),
    hint: issued.hint,
  }
}

export function pageView<Item, View>(
  page: Page<Item>,
  view: (item: Item) => View,
): { data: View[]; next_cursor: string | null } {
  return { data: page.items.map(view), next_cursor: page.next }
}

/** Paging over what is declared: small, in memory, by id. */
export function pageOfDeclared<Item extends { readonly id: string }>(
  items: readonly Item[],
  { limit, after }: { readonly limit: number; readonly after: string | null },
): Page<Item> {
  const start = after === null ? 0 : items.findIndex((item) => item.id === after) + 1
  const page = items.slice(start, start + limit)
  const more = start + limit < items.length
  return { items: page, next: more ? (page.at(-1)?.id ?? null) : null }
}

export function pageRequest(query: { readonly limit?: number; readonly cursor?: string }): {
  limit: number
  after: string | null
} {
  return { limit: query.limit ?? 50, after: query.cursor ?? null }
}
