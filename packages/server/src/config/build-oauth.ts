import type { ConfigFile, ConfigOAuth } from '@postern/contract'

import type { Api, Preset } from '../core/apis/api.ts'
import type { ApiOAuth, PresetEndpoint } from '../core/oauth/api-oauth.ts'
import { standardEndpoints, standardPaths } from '../core/oauth/standard-endpoints.ts'
import { positiveMs } from './build-plans.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

const minuteMs = 60_000
const dayMs = 86_400_000
/** What is revoked elsewhere, by a verifier that asks nobody, lives as long as it says of itself. */
const ttlMsMax = dayMs
const refreshMsMax = 400 * dayMs

export function buildOAuth(
  api: string,
  written: ConfigOAuth | undefined,
  { preset, publicUrl }: { readonly preset: Preset; readonly publicUrl: string },
  context: Context,
): ApiOAuth {
  const path = ['apis', api, 'oauth']
  const bounded = (text: string | undefined, field: readonly string[], otherwise: number, most: number): number => {
    if (text === undefined) return otherwise
    const ms = positiveMs(text, [...path, ...field], context)
    if (ms > most) context.report.error([...path, ...field], `must not be longer than ${most / dayMs}d`)
    return ms
  }
  const ttlMs = bounded(written?.ttl, ['ttl'], 15 * minuteMs, ttlMsMax)
  const absoluteMs = bounded(written?.refresh?.absolute, ['refresh', 'absolute'], 90 * dayMs, refreshMsMax)
  const idleMs = bounded(written?.refresh?.idle, ['refresh', 'idle'], Math.min(30 * dayMs, absoluteMs), refreshMsMax)
  if (idleMs > absoluteMs) {
    const field = written?.refresh?.idle === undefined ? 'absolute' : 'idle'
    context.report.error([...path, 'refresh', field], '"idle" must not be longer than "absolute"')
  }
  if (ttlMs % 1000 !== 0) context.report.error([...path, 'ttl'], 'must be whole seconds: clients are told it in them')
  return {
    accessToken: written?.access_token ?? 'opaque',
    ttlMs,
    refresh: { idleMs, absoluteMs },
    resources: written?.resources ?? [`${publicUrl.replace(/\/$/, '')}/apis/${api}`],
    fromKeys: preset.oauth.fromKeys,
  }
}

/** The preset's endpoints; those that are declared stand instead of its own of that name. */
export function endpointsOf(written: ConfigOAuth | undefined, preset: Preset): readonly PresetEndpoint[] {
  const paths = written?.paths
  if (paths === 'none') return []
  const own = paths === undefined ? [] : standardEndpoints(typeof paths === 'string' ? standardPaths : paths)
  return [...own, ...preset.oauth.endpoints.filter(({ id }) => own.every((endpoint) => endpoint.id !== id))]
}

/** One name for two APIs would let nobody say which one is meant. */
export function checkResources(
  written: NonNullable<ConfigFile['apis']>,
  apis: ReadonlyMap<string, Api>,
  { report }: Context,
): void {
  const taken = new Map<string, string>()
  for (const [id, { oauth }] of apis) {
    for (const [index, resource] of oauth.resources.entries()) {
      const said = written[id]?.oauth?.resources !== undefined
      const at: Path = said ? ['apis', id, 'oauth', 'resources', index] : ['apis', id]
      const other = taken.get(resource)
      if (other !== undefined) report.error(at, `"${resource}" names the API "${other}" already`)
      taken.set(resource, id)
      if (said && (!URL.canParse(resource) || resource.includes('#')))
        report.error(at, 'must be an absolute URI without a fragment (RFC 8707, section 2)')
    }
  }
}
