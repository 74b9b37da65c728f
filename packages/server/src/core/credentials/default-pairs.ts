import { managementApiId } from '../accounts/account.ts'
import type { Api, Declaration, DefaultPair, Environment, Plan, Preset } from '../apis/api.ts'
import type { CredentialKind } from './credential.ts'
import { type Issued, type Mint, issueCredential } from './issue.ts'

interface SkippedPair {
  readonly name: string
  readonly kind: CredentialKind
  readonly apis: readonly string[]
  readonly code: 'plan_forbids' | 'conflict'
}

export interface DefaultPairs {
  readonly issued: readonly Issued[]
  readonly skipped: readonly SkippedPair[]
}

/**
 * The pairs that presets make with a project: one of each for all APIs of a preset that the plan includes, with the
 * plan's ceiling as scopes and no origins. `room`: how many more credentials the account may have; null: any number.
 */
export function defaultPairs(
  declaration: Declaration,
  plan: Plan,
  environment: Environment,
  room: number | null,
  mint: Mint,
): DefaultPairs {
  const issued: Issued[] = []
  const skipped: SkippedPair[] = []
  for (const [preset, apis] of apisByPreset(declaration)) {
    const included = apis.filter((api) => plan.apis.has(api.id))
    if (included.length === 0) continue
    for (const pair of preset.defaultPairs) {
      const code = reasonToSkip(pair, plan, room === null ? null : room - issued.length)
      if (code !== null) skipped.push({ ...pair, apis: included.map((api) => api.id), code })
      else issued.push(issueCredential(termsOf(pair, included, plan, mint.now), { environment, primary: true }, mint))
    }
  }
  return { issued, skipped }
}

function apisByPreset(declaration: Declaration): Map<Preset, Api[]> {
  const groups = new Map<Preset, Api[]>()
  for (const api of declaration.apis.values()) {
    if (api.retired || api.id === managementApiId) continue
    groups.set(api.preset, [...(groups.get(api.preset) ?? []), api])
  }
  return groups
}

function reasonToSkip(pair: DefaultPair, plan: Plan, room: number | null): SkippedPair['code'] | null {
  if (!plan.kinds.has(pair.kind)) return 'plan_forbids'
  return room !== null && room <= 0 ? 'conflict' : null
}

function termsOf(
  pair: DefaultPair,
  apis: readonly Api[],
  plan: Plan,
  now: number,
): Parameters<typeof issueCredential>[0] {
  return {
    name: pair.name,
    kind: pair.kind,
    apis: apis.map((api) => api.id),
    scopes: ['*'],
    role: null,
    ipAllow: [],
    originAllow: pair.kind === 'publishable' ? [] : null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: plan.maxKeyAgeMs === null ? null : now + plan.maxKeyAgeMs,
    metadata: {},
    form: apis[0]?.preset.form ?? 'key',
    declaredApis: apis,
  }
}
