import type { ConfigApi, ConfigUpstream } from '@postern/contract'

import type { Path } from './issue.ts'
import { type Placed, placedValues } from './placed.ts'

/** The addresses of an API as written, each with what it is for. */
export function writtenAddresses({ address }: ConfigApi, api: Path): readonly Placed<string>[] {
  return placedValues<string>(address, [...api, 'address'], (each) => typeof each === 'string')
}

/** Its upstreams as written: a URL, or targets and how they are used. */
export function writtenUpstreams({ upstream }: ConfigApi, api: Path): readonly Placed<string | ConfigUpstream>[] {
  return placedValues<string | ConfigUpstream>(upstream, [...api, 'upstream'], isUpstream)
}

function isUpstream(each: object | string): each is string | ConfigUpstream {
  return typeof each === 'string' || 'targets' in each
}
