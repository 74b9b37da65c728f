import type { ConfigUpstream } from '@postern/contract'

import { durationMs } from '../base/units.ts'
import { canonicalPath } from '../core/apis/path.ts'
import {
  defaultPassive,
  type HealthRule,
  type PassiveRule,
  type StatusRanges,
  type Target,
  targetAt,
  type Upstream,
} from '../core/apis/upstream.ts'
import { positiveMs } from './build-plans.ts'
import { buildTargetTls } from './build-target-tls.ts'
import { type Context, secretValue } from './context.ts'
import type { Path } from './issue.ts'
import type { Placed } from './placed.ts'

/** One upstream of an API: a URL, or targets and how they are used. Null where no target is good. */
export function buildUpstream(id: string, placed: Placed<string | ConfigUpstream>, context: Context): Upstream | null {
  const { value, environment, region, path } = placed
  const name = [id, environment, region].filter((part) => part !== null).join('/')
  const written = typeof value === 'string' ? { targets: [value] } : value
  const targets = buildTargets(written, typeof value === 'string' ? null : path, path, context)
  if (targets.length === 0) return null
  return {
    name,
    targets,
    retries: written.retries ?? 1,
    passive: buildPassive(written.passive, [...path, 'passive'], context),
    health: buildHealth(written.health, [...path, 'health'], context),
  }
}

/** `at` is null where one URL stands for all of it. */
function buildTargets(written: ConfigUpstream, at: Path | null, path: Path, context: Context): readonly Target[] {
  const tls = buildTargetTls(written.tls, [...path, 'tls'], context)
  const idleMs = written.keep_alive === undefined ? null : durationMs(written.keep_alive)
  const bounds = { connectionsMax: written.max_connections ?? null, idleMs, tls }
  const targets = written.targets.map((target, index) => {
    const [text, weight] = typeof target === 'string' ? [target, 1] : [target.url, target.weight ?? 1]
    const own = at === null ? path : [...at, 'targets', index, ...(typeof target === 'string' ? [] : ['url'])]
    return { own, target: buildTarget(text, { ...bounds, weight }, own, context) }
  })
  const urls = targets.map(({ target }) => target?.url)
  for (const [index, { own, target }] of targets.entries()) {
    if (target === null) continue
    if (urls.indexOf(target.url) < index) context.report.error(own, 'is a target already; give that one more weight')
    if (tls !== null && target.tls === null) context.report.error(own, 'has no TLS: it must begin with https://')
  }
  const good = targets.flatMap(({ target }) => target ?? [])
  if (good.length > 0 && good.every(({ weight }) => weight === 0)) {
    context.report.error([...path, 'targets'], 'have no weight at all: requests would go nowhere')
  }
  return good
}

function buildTarget(
  text: string,
  bounds: Pick<Target, 'weight' | 'tls' | 'connectionsMax' | 'idleMs'>,
  path: Path,
  context: Context,
): Target | null {
  const value = secretValue(text, path, context)
  if (value === null) return null
  const url = URL.parse(value)
  const fault = upstreamFault(url, value)
  if (fault !== null) context.report.error(path, fault)
  return url === null ? null : targetAt(url, bounds)
}

/** The value is not repeated: it may hold a password. */
function upstreamFault(url: URL | null, text: string): string | null {
  if (url === null || !/^https?:\/\//i.test(text)) return 'must be a URL that begins with http:// or https://'
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password'
  if (/[?#]/.test(text)) return 'must have no query and no fragment'
  return canonicalPath(url.pathname).ok ? null : 'the path of the URL is not canonical'
}

function buildPassive(written: ConfigUpstream['passive'], path: Path, context: Context): PassiveRule | null {
  if (written === false) return null
  const { failures, window, eject, statuses } = written ?? {}
  return {
    failures: failures ?? defaultPassive.failures,
    windowMs: window === undefined ? defaultPassive.windowMs : positiveMs(window, [...path, 'window'], context),
    ejectMs: eject === undefined ? defaultPassive.ejectMs : positiveMs(eject, [...path, 'eject'], context),
    statuses: statusRanges(statuses ?? []),
  }
}

function buildHealth(written: ConfigUpstream['health'], path: Path, context: Context): HealthRule | null {
  if (written === undefined) return null
  const intervalMs = positiveMs(written.interval ?? '10s', [...path, 'interval'], context)
  const timeoutMs = positiveMs(written.timeout ?? '2s', [...path, 'timeout'], context)
  if (intervalMs < healthIntervalMsMin) context.report.error([...path, 'interval'], 'must be at least 100ms')
  if (!canonicalPath(written.path).ok) context.report.error([...path, 'path'], 'is not a canonical path')
  return {
    path: written.path,
    intervalMs,
    timeoutMs,
    expect: statusRanges(written.expect ?? ['2xx']),
    unhealthyAfter: written.unhealthy_after ?? 3,
    healthyAfter: written.healthy_after ?? 2,
  }
}

const healthIntervalMsMin = 100

function statusRanges(written: readonly (string | number)[]): StatusRanges {
  return written.map((each) => {
    if (typeof each === 'number') return [each, each]
    const from = Number(each.slice(0, 1)) * 100
    return [from, from + 99]
  })
}
