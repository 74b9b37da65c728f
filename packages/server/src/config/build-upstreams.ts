import type { ConfigApi } from '@postern/contract'

import type { Api, Environment, Upstream } from '../core/apis/api.ts'
import { canonicalPath } from '../core/apis/path.ts'
import { type Context, secretValue } from './context.ts'
import type { Path } from './issue.ts'
import { meet, type Placed, placedValues } from './placed.ts'

type Upstreams = Api['upstreams']

interface BuiltUpstreams {
  readonly upstreams: Upstreams
  /** Of the first one: the paths of an OpenAPI document are told from it. */
  readonly basePath: string
}

/** Where an API's requests are sent. */
export function buildUpstreams(written: ConfigApi, api: Path, context: Context): BuiltUpstreams {
  const path = [...api, 'upstream']
  const placed = placedValues(written.upstream, path)
  checkAddresses(placed, placedValues(written.address, [...api, 'address']), path, context)
  const built = placed.map((each) => ({ ...each, value: buildUpstream(each.value, each.path, context) }))
  return {
    upstreams: { live: ofEnvironment(built, 'live'), sandbox: ofEnvironment(built, 'sandbox') },
    basePath: built[0]?.value?.basePath ?? '',
  }
}

function ofEnvironment(built: readonly Placed<Upstream | null>[], environment: Environment): Upstreams[Environment] {
  const own = built.filter((each) => each.environment === null || each.environment === environment)
  const [first] = own
  if (first === undefined || first.region === null) return first?.value ?? null
  const regions = own.flatMap(({ region, value }) =>
    region === null || value === null ? [] : [[region, value] as const],
  )
  return { byRegion: new Map(regions) }
}

/** What has an address needs an upstream, and the upstream of a region an address. */
function checkAddresses(
  upstreams: readonly Placed<unknown>[],
  addresses: readonly Placed<unknown>[],
  path: Path,
  { report }: Context,
): void {
  for (const address of addresses) {
    if (upstreams.some((upstream) => meet(address, upstream))) continue
    const { environment, region } = address
    const known = environment !== null && upstreams.some((upstream) => upstream.environment === environment)
    const missing = known ? region : (environment ?? region)
    report.error(known ? [...path, environment] : path, `"${missing}" is missing: it has an address`)
  }
  for (const upstream of upstreams) {
    if (upstream.region === null || addresses.some((address) => meet(address, upstream))) continue
    report.error(upstream.path, 'is the upstream of a region that has no address', 'key')
  }
}

function buildUpstream(text: string, path: Path, context: Context): Upstream | null {
  const value = secretValue(text, path, context)
  if (value === null) return null
  const url = URL.parse(value)
  const fault = upstreamFault(url, value)
  if (fault !== null) context.report.error(path, fault)
  return url === null ? null : { origin: url.origin, basePath: url.pathname.replace(/\/$/, '') }
}

/** The value is not repeated: it may hold a password. */
function upstreamFault(url: URL | null, text: string): string | null {
  if (url === null || !/^https?:\/\//i.test(text)) return 'must be a URL that begins with http:// or https://'
  if (url.username !== '' || url.password !== '') return 'must not hold a user or password'
  if (/[?#]/.test(text)) return 'must have no query and no fragment'
  return canonicalPath(url.pathname).ok ? null : 'the path of the URL is not canonical'
}
