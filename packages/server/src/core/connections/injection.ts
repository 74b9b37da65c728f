import { fail, ok, type Result } from '../../base/result.ts'
import type { Secret } from '../../base/secret.ts'
import { normalName } from '../decision/connection-options.ts'
import type { Settings } from './connection.ts'
import type { CredentialPlace, Part } from './platform.ts'

/** A credential of the provider's, ready to be put into requests to an upstream. Made once, used for many. */
export interface Injection {
  /** Header lines: name, value, … */
  readonly lines: readonly string[]
  /** `name=value&…` for the query, percent-encoded; empty where nothing travels there. */
  readonly parameter: string
  /** Of a client these never pass. Header names are normal (`normalName`). */
  readonly cut: { readonly headers: ReadonlySet<string>; readonly parameters: readonly string[] }
  /** The secrets in the forms in which they were sent: none of them may come back to a client. */
  readonly secrets: readonly string[]
}

/** `body`: the platform takes its credential in the body, which the gateway does not rewrite. */
export function injectionOf(
  places: readonly CredentialPlace[],
  settings: Settings,
  secrets: ReadonlyMap<string, Secret>,
): Result<Injection, 'body'> {
  const value = (field: string): string => secrets.get(field)?.reveal() ?? settings[field] ?? ''
  const part = (of: Part): string => ('text' in of ? of.text : value(of.field))
  const lines: string[] = []
  const query: string[] = []
  const parameters: string[] = []
  const sent = [...secrets.values()].map((secret) => secret.reveal())
  for (const place of places) {
    switch (place.in) {
      case 'bearer':
        lines.push('Authorization', `Bearer ${value(place.field)}`)
        break
      case 'header':
        lines.push(place.name, place.prefix + value(place.field))
        break
      case 'basic': {
        const token = Buffer.from(`${part(place.user)}:${part(place.password)}`).toString('base64')
        lines.push('Authorization', `Basic ${token}`)
        sent.push(token)
        break
      }
      case 'query':
        query.push(`${encodeURIComponent(place.name)}=${encodeURIComponent(value(place.field))}`)
        parameters.push(place.name)
        break
      case 'body':
        return fail('body')
    }
  }
  const encoded = sent.map((text) => encodeURIComponent(text))
  return ok({
    lines,
    parameter: query.join('&'),
    cut: { headers: new Set(namesOf(lines)), parameters },
    secrets: [...new Set([...sent, ...encoded])],
  })
}

function namesOf(lines: readonly string[]): readonly string[] {
  return lines.filter((_, index) => index % 2 === 0).map(normalName)
}
