import type { ConfigApi } from '@postern/contract'

import type { Api, Environment } from '../core/apis/api.ts'
import type { Upstream } from '../core/apis/upstream.ts'
import { buildUpstream } from './build-targets.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { meet, type Placed } from './placed.ts'
import { writtenAddresses, writtenUpstreams } from './written.ts'

type Upstreams = Api['upstreams']

interface BuiltUpstreams {
  readonly upstreams: Upstreams
  /** Of the first target: the paths of an OpenAPI document are told from it. */
  readonly basePath: string
}

/** Where an API's requests are sent. */
export function buildUpstreams(id: string, written: ConfigApi, context: Context): BuiltUpstreams {
  const path = ['apis', id]
  const placed = writtenUpstreams(written, path)
  checkAddresses(placed, writtenAddresses(written, path), [...path, 'upstream'], context)
  const built = placed.map((each) => ({ ...each, value: buildUpstream(id, each, context) }))
  return {
    upstreams: { live: ofEnvironment(built, 'live'), sandbox: ofEnvironment(built, 'sandbox') },
    basePath: built[0]?.value?.targets[0]?.basePath ?? '',
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
