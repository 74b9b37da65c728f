import type { UpstreamCredential } from '../core/apis/api.ts'

/** What an injected credential adds to a request on its way to the upstream. */
export interface Injection {
  /** Header lines: name, value. */
  readonly lines: readonly string[]
  /** `name=value` for the query, percent-encoded; '' where it travels in a header. */
  readonly parameter: string
}

const nothing: Injection = { lines: [], parameter: '' }
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
  switch (place.in) {
    case 'bearer':
      return { lines: ['Authorization', `Bearer ${value}`], parameter: '' }
    case 'basic':
      return { lines: ['Authorization', `Basic ${Buffer.from(value, 'utf8').toString('base64')}`], parameter: '' }
    case 'header':
      return { lines: [place.name, value], parameter: '' }
    case 'query':
      return { lines: [], parameter: `${encodeURIComponent(place.name)}=${encodeURIComponent(value)}` }
  }
}

/** The path with the parameter of an injected credential after whatever query it has. */
export function withParameter(path: string, parameter: string): string {
  if (parameter === '') return path
  return path.includes('?') ? `${path}&${parameter}` : `${path}?${parameter}`
}
