import { isUtf8 } from 'node:buffer'

import { fail, ok, type Result } from '../base/result.ts'
import { headerValues } from '../core/decision/headers.ts'
import { memberValue, readJsonObject } from '../core/llm/json-object.ts'
import { oauthRefusal, type OAuthRefusal } from './refusal.ts'

/** The parameters of one request that we know, each at most once and none empty (RFC 6749, section 3.2). */
export type Parameters = ReadonlyMap<ParameterName, string>

export type ParameterName = keyof typeof lengthMax

/** Longest value in characters. Whatever has another name is not looked at (RFC 6749, section 3.2). */
const lengthMax = {
  grant_type: 200,
  client_id: 200,
  client_secret: 1024,
  client_assertion: 16_384,
  client_assertion_type: 200,
  code: 512,
  redirect_uri: 2048,
  code_verifier: 512,
  refresh_token: 1024,
  scope: 8192,
  resource: 2048,
  label: 100,
  project_id: 200,
  token: 8192,
  access_token: 8192,
  token_type_hint: 200,
  response_type: 200,
  response_mode: 200,
  state: 2048,
  code_challenge: 512,
  code_challenge_method: 200,
  prompt: 200,
  request: 16_384,
  request_uri: 2048,
} as const

export const bodyBytesMax = 65_536
/** Unknown ones count too: each costs a look. */
const parametersMax = 100

const names = new Set<string>(Object.keys(lengthMax))

/** The body of a POST: a form, or JSON in the same words. The query has no say, and must not pretend to have one. */
export function readBody(headers: readonly string[], query: string, body: Buffer): Result<Parameters, OAuthRefusal> {
  const misplaced = pieces(query.slice(1)).find((piece) => isKnown(decoded(nameOf(piece)) ?? ''))
  if (misplaced !== undefined) return invalid(`"${decoded(nameOf(misplaced))}" must not stand in the query of the URL.`)
  if (headerValues(headers, 'content-encoding').some((value) => value.toLowerCase() !== 'identity'))
    return invalid('The body must not be compressed.')
  const type = mediaType(headers)
  if (type === null) return invalid(expectedType)
  if (body.length > bodyBytesMax) return fail(oauthRefusal('oauth_body_too_large'))
  return type === 'json' ? readJson(body) : isUtf8(body) ? readForm(body.toString('utf8')) : invalid(notUtf8)
}

/** `application/x-www-form-urlencoded`, also as it stands in a query (RFC 6749, appendix B). */
export function readForm(text: string): Result<Parameters, OAuthRefusal> {
  const read = new Reader()
  const all = pieces(text)
  if (all.length > parametersMax) return invalid('There are too many parameters.')
  for (const piece of all) {
    const name = decoded(nameOf(piece))
    if (name === null) return invalid(notUtf8)
    if (!isKnown(name)) continue
    const value = decoded(piece.slice(nameOf(piece).length + 1))
    if (value === null) return invalid(`"${name}" is not percent-encoded UTF-8.`)
    const fault = read.take(name, value)
    if (fault !== null) return fail(fault)
  }
  return ok(read.found())
}

function readJson(body: Buffer): Result<Parameters, OAuthRefusal> {
  const object = readJsonObject(body)
  if (!object.ok) return invalid(object.error)
  if (object.value.members.size > parametersMax) return invalid('There are too many parameters.')
  const read = new Reader()
  for (const name of object.value.members.keys()) {
    const value = memberValue(object.value, name)
    if (typeof value === 'object' && value !== null) return invalid('No parameter is an array or an object.')
    if (!isKnown(name)) continue
    if (typeof value !== 'string') return invalid(`"${name}" is not a text.`)
    const fault = read.take(name, value)
    if (fault !== null) return fail(fault)
  }
  return ok(read.found())
}

class Reader {
  readonly #found = new Map<ParameterName, string>()
  /** Empty ones as well: a parameter that comes twice is doubled even where one of them says nothing. */
  readonly #seen = new Set<ParameterName>()

  take(name: ParameterName, value: string): OAuthRefusal | null {
    if (this.#seen.has(name)) {
      // RFC 8707, section 2, lets it repeat; a token of ours is for one API alone.
      if (name === 'resource') return this.#found.get(name) === value ? null : oauthRefusal('resource_invalid')
      return oauthRefusal('oauth_request_invalid', { hint: `"${name}" comes twice.` })
    }
    this.#seen.add(name)
    if (value.length > lengthMax[name]) return oauthRefusal('oauth_request_invalid', { hint: `"${name}" is too long.` })
    if (!isText(value))
      return oauthRefusal('oauth_request_invalid', { hint: `"${name}" has characters that no value has.` })
    if (value !== '') this.#found.set(name, value)
    return null
  }

  found(): Parameters {
    return this.#found
  }
}

function invalid(hint: string): Result<never, OAuthRefusal> {
  return fail(oauthRefusal('oauth_request_invalid', { hint }))
}

const notUtf8 = 'The parameters are not percent-encoded UTF-8.'
const expectedType =
  'The body has to be a form (Content-Type: application/x-www-form-urlencoded) or JSON (application/json), in UTF-8.'

/** Null: neither of the two that are read, or said in a way that could be read as another. */
function mediaType(headers: readonly string[]): 'form' | 'json' | null {
  const [value = '', ...others] = headerValues(headers, 'content-type')
  if (others.length > 0) return null
  const parts = /^\s*([^\s;]+)\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?;?\s*$/i.exec(value)
  const type = parts?.[1]?.toLowerCase()
  if (type === 'application/x-www-form-urlencoded') return 'form'
  return type === 'application/json' ? 'json' : null
}

function pieces(text: string): readonly string[] {
  return text.split('&').filter((piece) => piece !== '')
}

function nameOf(piece: string): string {
  const equals = piece.indexOf('=')
  return equals === -1 ? piece : piece.slice(0, equals)
}

function isKnown(name: string): name is ParameterName {
  return names.has(name)
}

/** Null where it is no percent-encoded UTF-8. */
function decoded(text: string): string | null {
  if (!text.includes('%')) return text.includes('+') ? text.replaceAll('+', ' ') : text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return null
  }
}

/** No control characters, and no half of a surrogate pair, which JSON can spell. */
function isText(value: string): boolean {
  return !/\p{Cc}/u.test(value) && value.isWellFormed()
}
