import type { ConfigPlace } from '@postern/contract'

import type { Accept, Place, Preset } from '../core/apis/api.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'

/** The operator's places stand instead of the preset's. */
export function buildPlaces(
  written: readonly ConfigPlace[] | undefined,
  preset: Preset,
  path: Path,
  { report }: Context,
): readonly Place[] {
  if (written === undefined) return preset.places
  const taken = new Set<string>()
  for (const [index, place] of written.entries()) {
    // RFC 6750, section 5.3; RFC 9700, section 4.3.2.
    if (place.in === 'query' && place.accept?.some((form) => form !== 'key') === true)
      report.error(
        [...path, index, 'accept'],
        'tokens do not travel in the query, where logs and pages would keep them',
      )
    for (const [field, name] of namesOf(place)) {
      const at = field === null ? [...path, index] : [...path, index, field]
      if (reservedHeaders.test(name)) report.error(at, `the header "${name}" cannot carry a credential`)
      if (/^authorization$/i.test(name))
        report.error(at, 'say "in: bearer" or "in: basic" for the Authorization header')
      const key = place.in === 'query' ? `query ${name}` : name.toLowerCase()
      if (taken.has(key)) report.error(at, 'this place stands in the list already')
      taken.add(key)
    }
  }
  return written.map(buildPlace)
}

/** The headers (or parameter) that a place looks at, with the field that names each. */
function namesOf(place: ConfigPlace): readonly (readonly [string | null, string])[] {
  switch (place.in) {
    case 'bearer':
    case 'basic':
      return [[null, `in ${place.in}`]]
    case 'header':
    case 'query':
      return [['name', place.name]]
    case 'pair':
      return [
        ['id', place.id],
        ['secret', place.secret],
      ]
  }
}

/** Headers that frame the message, that name the peer, or that we set ourselves. */
export const reservedHeaders =
  /^(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|x-forwarded-.*|forwarded|origin|cookie|set-cookie|x-request-id|x-postern-.*)$/i

function buildPlace(written: ConfigPlace): Place {
  const kinds = written.kinds ?? null
  const accept = written.accept ?? (written.in === 'bearer' ? everything : keyOnly)
  switch (written.in) {
    case 'bearer':
    case 'basic':
      return { in: written.in, accept, kinds }
    case 'header':
      return { in: 'header', name: written.name.toLowerCase(), accept, kinds }
    case 'query':
      return { in: 'query', name: written.name, accept, kinds }
    case 'pair':
      return { in: 'pair', id: written.id.toLowerCase(), secret: written.secret.toLowerCase(), accept, kinds }
  }
}

const everything: readonly Accept[] = ['key', 'token', 'jwt']
const keyOnly: readonly Accept[] = ['key']
