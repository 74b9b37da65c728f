import type { Api, Declaration, Environment } from './api.ts'
import type { Upstream } from './upstream.ts'

/** Where requests of a project are sent; null where the API serves nothing in its environment or region. */
export function upstreamOf(api: Api, environment: Environment, region: string | null): Upstream | null {
  const upstreams = api.upstreams[environment]
  if (upstreams === null || !('byRegion' in upstreams)) return upstreams
  return region === null ? null : (upstreams.byRegion.get(region) ?? null)
}

/** Those of both environments and of all regions, each once. */
export function everyUpstream({ live, sandbox }: Api['upstreams']): readonly Upstream[] {
  const all = [live, sandbox].flatMap((each) => {
    if (each === null) return []
    return 'byRegion' in each ? [...each.byRegion.values()] : [each]
  })
  return [...new Set(all)]
}

/** Whether credentials of such a project can be used at all: the API has an address for them and an upstream. */
export function isServed(
  { apis, addresses }: Declaration,
  place: { readonly api: string; readonly environment: Environment; readonly region: string | null },
): boolean {
  const { environment, region } = place
  const api = apis.get(place.api)
  if (api === undefined || upstreamOf(api, environment, region) === null) return false
  return addresses.all.some(
    (address) =>
      address.api.id === api.id &&
      (address.environment === null || address.environment === environment) &&
      (address.region === null || address.region === region),
  )
}
