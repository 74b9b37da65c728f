import type { ConfigApi } from '@postern/contract'

import { Secret } from '../base/secret.ts'
import type { Api, Environment, InjectionPlace, Preset, UpstreamCredential } from '../core/apis/api.ts'
import { everyUpstream } from '../core/apis/regions.ts'
import { reservedHeaders } from './build-places.ts'
import { type Context, secretValue } from './context.ts'
import type { Path } from './issue.ts'

/** `upstream_credential` for each environment that has an upstream. No message repeats a value. */
export function buildUpstreamCredentials(
  written: ConfigApi,
  preset: Preset,
  upstreams: Api['upstreams'],
  path: Path,
  context: Context,
): Api['upstreamCredentials'] {
  const { upstream_credential: text, upstream_credential_in: place } = written
  const placed = buildInjectionPlace(place, preset, [...path, 'upstream_credential_in'], context)
  if (text === undefined) {
    if (place !== undefined)
      context.report.error([...path, 'upstream_credential_in'], 'names a place, but upstream_credential is missing')
    return { live: null, sandbox: null }
  }
  const at = [...path, 'upstream_credential']
  warnOfPlainHttp(upstreams, at, context)
  if (typeof text === 'string') {
    const both = buildCredential(text, placed, at, context)
    return { live: both, sandbox: both }
  }
  const of = (environment: Environment): UpstreamCredential | null => {
    const own = text[environment]
    return own === undefined ? null : buildCredential(own, placed, [...at, environment], context)
  }
  return { live: of('live'), sandbox: of('sandbox') }
}

function buildInjectionPlace(
  written: ConfigApi['upstream_credential_in'],
  preset: Preset,
  path: Path,
  { report }: Context,
): InjectionPlace {
  if (written === undefined) return preset.injectionPlace
  if (written.in !== 'header') return written
  const name = written.name.toLowerCase()
  if (reservedHeaders.test(name)) report.error([...path, 'name'], `the header "${name}" cannot carry a credential`)
  if (name === 'authorization')
    report.error([...path, 'name'], 'say "in: bearer" or "in: basic" for the Authorization header')
  return { in: 'header', name }
}

function buildCredential(text: string, place: InjectionPlace, path: Path, context: Context): UpstreamCredential | null {
  const value = secretValue(text, path, context)
  if (value === null) return null
  const fault = credentialFault(value, place)
  if (fault === null) return { place, secret: new Secret(value) }
  context.report.error(path, fault)
  return null
}

function credentialFault(value: string, place: InjectionPlace): string | null {
  if (value === '') return 'is empty; take the key away where the upstream needs no credential'
  if (place.in === 'basic') return /^[^:\p{Cc}]*:\P{Cc}+$/u.test(value) ? null : 'must be user:password for in: basic'
  return /^[!-~]+$/.test(value) ? null : 'must be printable ASCII without spaces or line breaks'
}

function warnOfPlainHttp(upstreams: Api['upstreams'], path: Path, { report }: Context): void {
  const exposed = everyUpstream(upstreams).some(({ targets }) =>
    targets.some(({ url }) => /^http:\/\/(?!(localhost|127\.[0-9.]+|\[::1\])(:|\/|$))/.test(url)),
  )
  if (exposed) report.note(path, 'travels to the upstream over plain HTTP: whoever can listen there can read it')
}
