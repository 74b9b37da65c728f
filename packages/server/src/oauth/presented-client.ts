import { isUtf8 } from 'node:buffer'

import { fail, ok, type Result } from '../base/result.ts'
import { headerValues } from '../core/decision/headers.ts'
import type { OAuthDialect } from '../core/oauth/dialect.ts'
import type { Parameters } from './parameters.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** Who a request says it comes from, and by what it proves that. Nothing of it is known yet. */
export interface PresentedClient {
  readonly method: ClientMethod
  readonly clientId: string
  /** Null: it only names itself, as public clients do (RFC 6749, section 3.2.1). */
  readonly secret: string | null
}

type ClientMethod = 'client_secret_basic' | 'client_secret_post' | 'pair_headers' | 'none'

/** Finds the one client of a request; never more than one way at once (RFC 6749, section 2.3). */
export function presentedClient(
  headers: readonly string[],
  parameters: Parameters,
  dialect: Pick<OAuthDialect, 'pairHeaders'>,
): Result<PresentedClient, OAuthRefusal> {
  const proofs: PresentedClient[] = []
  for (const found of [...basic(headers), ...pairs(headers, dialect)]) {
    if (!found.ok) return found
    proofs.push(found.value)
  }
  const clientId = parameters.get('client_id')
  const secret = parameters.get('client_secret')
  if (secret !== undefined) {
    if (clientId === undefined) return fail(oauthRefusal('client_missing', { missing: 'client_id' }))
    proofs.push({ method: 'client_secret_post', clientId, secret })
  }
  const asserted = parameters.has('client_assertion') || parameters.has('client_assertion_type')
  const [first, another] = proofs
  if (another !== undefined || (first !== undefined && asserted)) return fail(oauthRefusal('client_ambiguous'))
  // Only secrets prove a client so far: an assertion (RFC 7523) is named, not ignored.
  if (asserted) return fail(oauthRefusal('client_method_unsupported'))
  if (first === undefined) {
    return clientId === undefined
      ? fail(oauthRefusal('client_missing'))
      : ok({ method: 'none', clientId, secret: null })
  }
  // It may name itself once more, but nobody else.
  return clientId !== undefined && clientId !== first.clientId ? fail(oauthRefusal('client_ambiguous')) : ok(first)
}

/**
 * User and password, each form-encoded before the base64 (RFC 6749, section 2.3.1). Older clients leave the encoding
 * out; our ids and secrets are letters, digits, `-` and `_`, which read alike in both.
 */
function basic(headers: readonly string[]): Result<PresentedClient, OAuthRefusal>[] {
  const values = headerValues(headers, 'authorization').filter((value) => value !== '')
  if (values.length > 1) return [fail(oauthRefusal('client_ambiguous'))]
  return values.map((value) => {
    const [, scheme = '', encoded = ''] = /^([^ ]*)(?: +(.*))?$/.exec(value) ?? []
    if (scheme.toLowerCase() !== 'basic') return fail(oauthRefusal('client_method_unsupported'))
    const text = decodeBase64(encoded)
    const colon = text?.indexOf(':') ?? -1
    if (text === null || colon < 1) {
      return fail(
        oauthRefusal('oauth_request_invalid', {
          hint: 'Basic needs the base64 of client_id:client_secret, each of them form-encoded.',
        }),
      )
    }
    const clientId = formDecoded(text.slice(0, colon))
    // A public client has no password (RFC 6749, section 2.3.1: an empty one may be left out).
    const secret = formDecoded(text.slice(colon + 1)) || null
    return ok({ method: 'client_secret_basic', clientId, secret })
  })
}

/** An empty header is absent. */
function pairs(
  headers: readonly string[],
  dialect: Pick<OAuthDialect, 'pairHeaders'>,
): Result<PresentedClient, OAuthRefusal>[] {
  return dialect.pairHeaders.flatMap((place): Result<PresentedClient, OAuthRefusal>[] => {
    const ids = headerValues(headers, place.id).filter((value) => value !== '')
    const secrets = headerValues(headers, place.secret).filter((value) => value !== '')
    const [clientId] = ids
    const [secret] = secrets
    if (clientId === undefined && secret === undefined) return []
    if (ids.length > 1 || secrets.length > 1) return [fail(oauthRefusal('client_ambiguous'))]
    if (clientId === undefined || secret === undefined) return [fail(oauthRefusal('client_missing'))]
    return [ok({ method: 'pair_headers', clientId, secret })]
  })
}

/** RFC 4648, section 4, strict: what does not encode back to itself is not base64. */
function decodeBase64(value: string): string | null {
  const bytes = Buffer.from(value, 'base64')
  return bytes.toString('base64') === value && isUtf8(bytes) ? bytes.toString('utf8') : null
}

function formDecoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
