import type { wire } from '@postern/contract'

import type { Client } from '../client/client.ts'
import { wrongUsage } from '../stop.ts'

/** The API that answers at a URL: port, host, then the longest prefix. */
export async function apiAt(client: Client, url: URL): Promise<string> {
  const apis = await client.list<wire.Api>('/apis', {}, 1_000)
  const port = Number(url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port)
  const candidates = apis.flatMap(({ id, addresses }) =>
    addresses
      .filter((address) => address.port === null || address.port === port)
      .filter(({ host }) => host === null || host === url.hostname)
      .filter(({ prefix }) => prefix === '' || url.pathname === prefix || url.pathname.startsWith(`${prefix}/`))
      .map(({ host, prefix }) => ({ id, weight: (host === null ? 0 : 10_000) + prefix.length })),
  )
  const best = candidates.toSorted((a, b) => b.weight - a.weight)[0]
  if (best !== undefined) return best.id
  throw wrongUsage(
    `No API is declared at ${url.host}`,
    `Declared are: ${apis.map(({ id }) => id).join(', ') || 'none'}.`,
    `--api ${apis[0]?.id ?? 'shop'}`,
  )
}
