import type { ConfigFile, ConfigLimit, ConfigPlan } from '@postern/contract'

import { durationMs } from '../base/units.ts'
import { managementApiId } from '../core/accounts/account.ts'
import type { Api, Plan } from '../core/apis/api.ts'
import type { CredentialKind } from '../core/credentials/credential.ts'
import type { LimitRule } from '../core/limits/rules.ts'
import { buildBudgets, buildPlanModels, checkMoney } from './build-llm.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { checkId, checkUnique } from './names.ts'
import { anyOf, didYouMean } from './shape.ts'

export function buildPlans(
  written: NonNullable<ConfigFile['plans']>,
  apis: ReadonlyMap<string, Api>,
  context: Context,
): ReadonlyMap<string, Plan> {
  return new Map(
    Object.entries(written).map(([id, plan]) => {
      checkId(['plans', id], id, context)
      return [id, buildPlan(id, plan, apis, context)]
    }),
  )
}

const defaultKinds = ['secret', 'publishable', 'integration'] as const

function buildPlan(id: string, written: ConfigPlan, apis: ReadonlyMap<string, Api>, context: Context): Plan {
  const path = ['plans', id]
  checkApis(written, apis, [...path, 'apis'], context)
  const limits = buildLimits(written.limits ?? [], [...path, 'limits'], context)
  const quotas = written.quotas ?? []
  const budgets = buildBudgets(written.budgets ?? [], [...path, 'budgets'], context)
  checkUnique(
    budgets.map(({ name }) => name),
    (index) => [...path, 'budgets', index, 'name'],
    'a budget',
    context,
  )
  checkUnique(
    [...limits, ...quotas].map(({ name }) => name),
    nameAt(path, limits.length),
    'a limit or quota',
    context,
  )
  const plan: Plan = {
    id,
    apis: new Set(written.apis),
    kinds: new Set<CredentialKind>(written.kinds ?? defaultKinds),
    scopes: buildCeiling(written, apis, [...path, 'scopes'], context),
    limits,
    quotas: quotas.map(({ name, per, requests, period }) => ({ name, per, requests, period })),
    budgets,
    models: buildPlanModels(written.models),
    maxKeys: written.max_keys ?? null,
    maxKeyAgeMs:
      written.max_key_age === undefined ? null : positiveMs(written.max_key_age, [...path, 'max_key_age'], context),
    onExposed: written.on_exposed ?? null,
    retired: written.retired ?? false,
  }
  checkMoney(plan, apis, path, context)
  return plan
}

/** Limits come first in the list of names, quotas after them. */
function nameAt(path: Path, limits: number): (index: number) => Path {
  return (index) => (index < limits ? [...path, 'limits', index, 'name'] : [...path, 'quotas', index - limits, 'name'])
}

function checkApis(written: ConfigPlan, apis: ReadonlyMap<string, Api>, path: Path, { report }: Context): void {
  const known = [...apis.keys(), managementApiId]
  for (const [index, api] of written.apis.entries()) {
    if (!known.includes(api)) report.error([...path, index], `no API "${api}" is declared${didYouMean(api, known)}`)
  }
}

/** Null: everything that the plan's APIs declare. Rights of the management API are `resource.action`. */
function buildCeiling(
  written: ConfigPlan,
  apis: ReadonlyMap<string, Api>,
  path: Path,
  { report }: Context,
): ReadonlySet<string> | null {
  const scopes = written.scopes ?? ['*']
  if (scopes.includes('*')) return null
  const declared = written.apis.flatMap((api) => [...(apis.get(api)?.scopes.keys() ?? [])])
  const managed = written.apis.includes(managementApiId)
  for (const [index, scope] of scopes.entries()) {
    if (declared.includes(scope) || (managed && /^[a-z_]+\.[a-z_*]+$/.test(scope))) continue
    const where = written.apis.length === 0 ? 'an API of this plan' : anyOf(written.apis)
    report.error([...path, index], `"${scope}" is not declared by ${where}${didYouMean(scope, declared)}`)
  }
  return new Set(scopes)
}

export function buildLimits(written: readonly ConfigLimit[], path: Path, context: Context): readonly LimitRule[] {
  return written.map(({ name, per, requests, window, burst = requests }, index) => {
    if (burst > requests) context.report.error([...path, index, 'burst'], `must not exceed requests (${requests})`)
    return { name, per, requests, windowMs: positiveMs(window, [...path, index, 'window'], context), burst }
  })
}

export function positiveMs(text: string, path: Path, { report }: Context): number {
  const ms = durationMs(text)
  if (ms === 0) report.error(path, 'must be longer than 0')
  return ms
}
