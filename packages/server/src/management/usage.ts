import { wire } from '@postern/contract'
import Type from 'typebox'

import type { Scope } from '../core/store.ts'
import { latencyBucketsMs, type ModelPoint, type UsageQuery } from '../core/usage/usage.ts'
import { callerOf } from './caller.ts'
import { operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { accountWithin, isNobody } from './requests.ts'
import { instant, timestamp, timestampOrNull } from './times.ts'

const Id = Type.Optional(Type.String({ maxLength: 100 }))
const stepMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const
/** Points in time that one answer may have. */
const pointsMax = 5_000

export const usage: Resource = (app, parts) => {
  app.get(
    '/usage',
    operation('getUsage', {
      tag: 'Usage',
      summary: 'Counts over time, and latency',
      description: '`group_by` takes names separated by commas: credential, account, route, outcome, country, api.',
      querystring: Type.Object(
        {
          from: wire.Timestamp,
          to: wire.Timestamp,
          step: Type.Optional(
            Type.Union([Type.Literal('minute'), Type.Literal('hour'), Type.Literal('day')], { default: 'hour' }),
          ),
          group_by: Type.Optional(Type.String({ maxLength: 100 })),
          account: Id,
          project: Id,
          credential: Id,
          api: Id,
        },
        wire.closed,
      ),
      response: { 200: wire.ref(wire.Usage) },
      problems: [422],
    }),
    async (request) => {
      const { query } = request
      const { scope } = callerOf(request)
      const { step = 'hour', credential = null } = query
      const period = periodOf(query, step)
      const groupBy = groupsOf(query.group_by)
      const account = accountWithin(scope, query.account ?? null)
      const filter = { project: query.project ?? null, credential, api: query.api ?? null, groupBy, step }
      const points = isNobody(account) ? [] : await parts.store.usage.query({ ...period, ...filter, account })
      const ofModels = ([...modelGroups] as const).filter((name) => name === 'model' || groupBy.includes(name))
      const models = isNobody(account)
        ? []
        : await parts.store.usage.models({ ...period, ...filter, account, groupBy: ofModels })
      const buckets = await latencyOf(parts, scope, credential, period)
      return {
        from: timestamp(period.from),
        to: timestamp(period.to),
        step,
        data: points.map(({ at, group, count }) => ({ at: timestamp(at), group: { ...group }, count })),
        models: models.map(modelView),
        latency_ms: buckets === null ? null : percentiles(buckets),
        dropped_requests: scope === null ? await parts.store.usage.dropped(period) : null,
        observed_through: timestampOrNull(await parts.store.usage.observedThrough({ now: parts.clock.now() })),
      }
    },
  )
}

const modelGroups = ['credential', 'account', 'api', 'model'] as const

function modelView({ at, group, sums }: ModelPoint): wire.ModelUsage {
  const costs = Object.entries(sums).filter(([metric]) => /^cost [A-Z]{3}$/.test(metric))
  return {
    at: timestamp(at),
    group: { ...group },
    requests: sums['requests'] ?? 0,
    input_tokens: sums['input'] ?? 0,
    cached_input_tokens: sums['cached_input'] ?? 0,
    output_tokens: sums['output'] ?? 0,
    reasoning_tokens: sums['reasoning'] ?? 0,
    cost: Object.fromEntries(costs.map(([metric, micros]) => [metric.slice('cost '.length), micros / 1_000_000])),
  }
}

interface Period {
  readonly from: number
  readonly to: number
}

function periodOf(query: { readonly from: string; readonly to: string }, step: keyof typeof stepMs): Period {
  const period = { from: instant(query.from), to: instant(query.to) }
  if (period.to <= period.from) throw endRefused('is not after from')
  if ((period.to - period.from) / stepMs[step] > pointsMax) throw endRefused('is too far from `from` for this step')
  return period
}

function endRefused(message: string): Refused {
  return new Refused('not_acceptable_value', { errors: [{ path: 'to', message }] })
}

function groupsOf(text: string | undefined): UsageQuery['groupBy'] {
  const names = new Set(text === undefined || text === '' ? [] : text.split(','))
  const groups = wire.usageGroups.filter((group) => names.delete(group))
  if (names.size > 0) {
    throw new Refused('body_invalid', {
      errors: [{ path: 'group_by', message: `takes ${wire.usageGroups.join(', ')}` }],
    })
  }
  return groups
}

/** Latency is kept by credential and route: over all of them it is the operator's, over one its account's. */
async function latencyOf(
  parts: ManagementParts,
  scope: Scope,
  credential: string | null,
  period: Period,
): Promise<readonly number[] | null> {
  if (credential === null && scope !== null) return null
  if (credential !== null && (await parts.store.credentials.find({ id: credential, scope })) === null) return null
  return await parts.store.usage.latency({ credential, route: null, ...period })
}

/** From counts per bucket, linear within the bucket; what is above the last edge counts as that edge. */
export function percentiles(buckets: readonly number[]): wire.Usage['latency_ms'] {
  const count = buckets.reduce((sum, bucket) => sum + bucket, 0)
  if (count === 0) return null
  const at = (share: number) => Math.round(quantile(buckets, share * count) * 100) / 100
  return { p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), count }
}

function quantile(buckets: readonly number[], rank: number): number {
  const last = latencyBucketsMs.at(-1) ?? 0
  let below = 0
  for (const [index, bucket] of buckets.entries()) {
    const upper = latencyBucketsMs[index]
    if (upper === undefined) return last
    const lower = latencyBucketsMs[index - 1] ?? 0
    if (bucket > 0 && below + bucket >= rank) return lower + ((rank - below) / bucket) * (upper - lower)
    below += bucket
  }
  return last
}
