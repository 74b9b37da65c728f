import maxmind, { type CountryResponse } from 'maxmind'

import { formatIp, type Ip } from '../base/ip.ts'

/** ISO 3166-1 user-assigned code: the country is not known. */
const unknown = 'ZZ'

/** Reads the operator's own country database; without one every country is ZZ. */
export async function openCountries(path: string | null): Promise<(ip: Ip) => string> {
  if (path === null) return () => unknown
  const reader = await maxmind.open<CountryResponse>(path)
  return (ip) => reader.get(formatIp(ip))?.country?.iso_code ?? unknown
}
