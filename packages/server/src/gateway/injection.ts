import type { UpstreamCredential } from '../core/apis/api.ts'
import type { Injection } from '../core/connections/injection.ts'
import { withoutParameter } from '../core/decision/query.ts'
import type { CredentialPlaces } from './headers.ts'

const noCut: Injection['cut'] = { headers: new Set(), parameters: [] }
const nothing: Injection = { lines: [], parameter: '', cut: noCut, secrets: [] }
const made = new WeakMap<UpstreamCredential, Injection>()

/**
 * The upstream's own credential, in its place. What the client sent in that place is gone before: `CredentialPlaces`
 * names it beside the places of the client's own.
 */
export function injectionOf(credential: UpstreamCredential | null): Injection {
  if (credential === null) return nothing
  const known = made.get(credential)
  if (known !== undefined) return known
  const injection = inject(credential)
  made.set(credential, injection)
  return injection
}

function inject({ place, secret }: UpstreamCredential): Injection {
  const value = secret.reveal()
  const inHeader = (name: string, text: string, forms: readonly string[] = [value]): Injection => ({
    ...nothing,
    lines: [name, text],
    secrets: forms,
  })
  switch (place.in) {
    case 'bearer':
      return inHeader('Authorization', `Bearer ${value}`)
    case 'basic': {
      const token = Buffer.from(value, 'utf8').toString('base64')
      const password = value.slice(value.indexOf(':') + 1)
      return inHeader('Authorization', `Basic ${token}`, [value, password, token])
    }
    case 'header':
      return inHeader(place.name, value)
    case 'query': {
      const encoded = encodeURIComponent(value)
      const parameters = [place.name]
      const cut = { headers: noCut.headers, parameters }
      return { lines: [], parameter: `${encodeURIComponent(place.name)}=${encoded}`, cut, secrets: [value, encoded] }
    }
  }
}

/** The path with the parameter of an injected credential after whatever query it has. */
export function withParameter(path: string, parameter: string): string {
  if (parameter === '') return path
  return path.includes('?') ? `${path}&${parameter}` : `${path}?${parameter}`
}

const merged = new WeakMap<CredentialPlaces, WeakMap<Injection, CredentialPlaces>>()

/** The places of an API, and those that a connection takes for itself. Made once for each pair. */
export function withCut(places: CredentialPlaces, injection: Injection): CredentialPlaces {
  let ofPlaces = merged.get(places)
  if (ofPlaces === undefined) merged.set(places, (ofPlaces = new WeakMap()))
  const known = ofPlaces.get(injection)
  if (known !== undefined) return known
  const { headers, parameters } = injection.cut
  const both: CredentialPlaces = {
    headers: new Set([...places.headers, ...headers]),
    parameters: [...new Set([...places.parameters, ...parameters])],
  }
  ofPlaces.set(injection, both)
  return both
}

/** A shorter secret would be found in what is none. */
const tellingLength = 8

/**
 * Header lines of an answer without an injected credential: an upstream may repeat what it was sent, in a redirect
 * above all, and no client may learn it so. Bodies are passed on as they are.
 */
export function withoutInjected(lines: readonly string[], { secrets, cut }: Injection): readonly string[] {
  if (secrets.length === 0) return lines
  const holds = (value: string): boolean =>
    secrets.some((secret) => secret.length >= tellingLength && value.includes(secret))
  const leaks = (value: string): boolean => holds(value) || (value.includes('%') && holds(percentDecoded(value)))
  if (!lines.some((text, i) => i % 2 === 1 && leaks(text))) return lines
  const kept: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    const value = lines[i + 1] ?? ''
    const shown = leaks(value) && isAddress(name) ? withoutParameters(value, cut.parameters) : value
    if (!leaks(shown)) kept.push(name, shown)
  }
  return kept
}

/** Encoded octets of ASCII, whichever of them the upstream chose to encode and in which case. */
const percentDecoded = (value: string): string =>
  value.replaceAll(/%([2-7][0-9a-f])/gi, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)))

const isAddress = (name: string): boolean => /^(content-)?location$/i.test(name)

/** An address without parameters of these names, wherever its query ends. */
function withoutParameters(address: string, names: readonly string[]): string {
  const mark = address.indexOf('?')
  if (mark === -1) return address
  const hash = address.indexOf('#', mark)
  const end = hash === -1 ? address.length : hash
  let query = address.slice(mark, end)
  for (const name of names) query = withoutParameter(query, name)
  return address.slice(0, mark) + query + address.slice(end)
}
