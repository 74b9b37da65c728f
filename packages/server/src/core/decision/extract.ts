import { codes } from '@postern/contract'

import type { Api, Place } from '../apis/api.ts'
import { isPresentable } from '../credentials/format.ts'
import type { Presented, Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import { headerIndex, headerValues, isName } from './headers.ts'
import { queryValues } from './query.ts'
import { refuse } from './refuse.ts'
import type { Trail } from './trail.ts'

/** Stage 2: finds the one credential that the request carries, in the places that the API declares. */
export function extract(
  facts: RequestFacts,
  api: Api,
  query: string,
  trail: Trail,
): { readonly presented: Presented | null; readonly refusal: Refusal | null } {
  let found = none
  let malformed: string | null = null
  for (const place of api.places) {
    const sent = look(place, facts, query)
    if (typeof sent === 'string') malformed ??= sent
    else if (sent.length > 0) found = found.length === 0 ? sent : [...found, ...sent]
  }
  const [presented = null, another] = found
  const present = found.length > 0 || malformed !== null
  if (
    !trail.add(
      'present',
      present && another === undefined,
      () => describe(api, found),
      another === undefined ? 'credential_missing' : 'credential_ambiguous',
    )
  ) {
    return {
      presented,
      refusal:
        another === undefined
          ? refuse('credential_missing', { hint: missingHint(facts, api, query) })
          : refuse('credential_ambiguous'),
    }
  }
  const fault = malformed ?? (presented === null ? null : faultOf(presented, facts))
  if (fault !== null) {
    trail.add('shape', false, () => codes.credential_malformed.log, 'credential_malformed')
    return { presented, refusal: refuse('credential_malformed', { hint: fault }) }
  }
  return { presented, refusal: null }
}

/** Every credential that stands in the place (an empty one is absent), or a sentence about a broken one. */
function look(place: Place, facts: RequestFacts, query: string): readonly Presented[] | string {
  switch (place.in) {
    case 'bearer':
    case 'basic':
      return inHeader(place, 'authorization', facts)
    case 'header':
      return inHeader(place, place.name, facts)
    case 'query':
      return query === ''
        ? []
        : queryValues(query, place.name)
            .filter((value) => value !== '')
            .map((secret) => ({ place, publicId: null, secret }))
    case 'pair':
      return pair(place, facts)
  }
}

const none: readonly Presented[] = []

type HeaderPlace = Place & { in: 'bearer' | 'basic' | 'header' }

/** Mostly the one line that the connection has brought before. */
function inHeader(place: HeaderPlace, name: string, { headers, seen }: RequestFacts): readonly Presented[] | string {
  const at = headerIndex(headers, name)
  if (at === -1) return none
  const value = headers[at + 1] ?? ''
  const alone = headerIndex(headers, name, at + 2) === -1
  const known = alone ? (seen?.found(place, value) ?? null) : null
  if (known !== null) return known
  const values = sentValues(headers, name)
  const found =
    place.in === 'header' ? values.map((secret) => ({ place, publicId: null, secret })) : authorizations(place, values)
  if (alone && typeof found !== 'string') seen?.keep(place, value, found)
  return found
}

/** The values of a header that are not empty. */
function sentValues(headers: readonly string[], name: string): readonly string[] {
  return headerValues(headers, name).filter((value) => value !== '')
}

function authorizations(
  place: Place & { in: 'bearer' | 'basic' },
  values: readonly string[],
): readonly Presented[] | string {
  const found = collect(values.map((value) => authorization(place, value)))
  // The header stands once (RFC 9110, section 11.6.2): beside another one, even a foreign scheme leaves doubt.
  return typeof found === 'string' || values.length < 2 ? found : [...found, ...found]
}

/** Scheme, one space, value (RFC 9110, section 11.4); the scheme in any case. Another scheme is not ours. */
function authorization(place: Place & { in: 'bearer' | 'basic' }, value: string): Presented | string | null {
  const space = value.indexOf(' ')
  if (!isName(space === -1 ? value : value.slice(0, space), place.in)) return null
  const rest = space === -1 ? '' : value.slice(space + 1)
  if (rest === '') return 'The Authorization header names a scheme, but no value follows it.'
  if (place.in === 'bearer') return { place, publicId: null, secret: rest }
  const text = decodeBasic(rest)
  const colon = text?.indexOf(':') ?? -1
  if (text === null || colon < 1 || colon === text.length - 1) {
    return 'Basic needs the base64 of user:password, here the public id and the secret.'
  }
  return { place, publicId: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** RFC 4648, section 4, strict: what does not encode back to itself is not base64. */
function decodeBasic(value: string): string | null {
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value ? bytes.toString('utf8') : null
}

function pair(place: Place & { in: 'pair' }, facts: RequestFacts): readonly Presented[] | string {
  const ids = sentValues(facts.headers, place.id)
  const secrets = sentValues(facts.headers, place.secret)
  const [publicId] = ids
  if (publicId === undefined && secrets.length === 0) return []
  if (publicId === undefined || secrets.length === 0) return 'Of the two headers of this credential only one was sent.'
  const id = publicId
  // Two ids or two secrets are two credentials: which one is meant must not be guessed.
  const made = secrets.map((secret) => ({ place, publicId: id, secret }))
  return ids.length > 1 ? [...made, ...made] : made
}

function collect(results: readonly (Presented | string | null)[]): readonly Presented[] | string {
  const fault = results.find((result) => typeof result === 'string')
  return typeof fault === 'string' ? fault : results.filter((result) => result !== null && typeof result !== 'string')
}

/** Recognised mistakes, so that the answer can say what to do. Says nothing about whether a secret is known. */
function faultOf({ secret, publicId }: Presented, { seen }: RequestFacts): string | null {
  const presentable = seen === undefined ? isPresentable(secret) : seen.isPresentable(secret)
  if (presentable && (publicId === null || isPresentable(publicId))) return null
  if (/^bearer /i.test(secret)) return 'The word Bearer was sent twice.'
  if (/^\s|\s$/.test(secret)) return 'There is a space or a line break at its start or end.'
  return 'It has characters that no credential has, or is far too long.'
}

function missingHint(facts: RequestFacts, api: Api, query: string): string | null {
  const takesAuthorization = api.places.some((place) => place.in === 'bearer' || place.in === 'basic')
  const [sent] = sentValues(facts.headers, 'authorization')
  if (takesAuthorization && sent !== undefined && !sent.includes(' ')) {
    return 'The Authorization header has a value without a scheme before it.'
  }
  if (takesAuthorization && sent !== undefined)
    return 'The Authorization header has a scheme that this API does not use.'
  if (sent !== undefined) return 'This API does not look at the Authorization header.'
  return query.includes('key=') && !api.places.some((place) => place.in === 'query')
    ? 'This API takes no credential from the query.'
    : null
}

function describe(api: Api, found: readonly Presented[]): string {
  const looked = api.places.map(placeName).join(', ')
  return found.length === 0
    ? `looked at ${looked}`
    : `found in ${found.map(({ place }) => placeName(place)).join(', ')}`
}

export function placeName(place: Place): string {
  switch (place.in) {
    case 'bearer':
      return 'Authorization: Bearer'
    case 'basic':
      return 'Authorization: Basic'
    case 'header':
      return `header ${place.name}`
    case 'query':
      return `query ${place.name}`
    case 'pair':
      return `headers ${place.id} and ${place.secret}`
  }
}
