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

const bodyBytesMax = 65_536
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

/** `application/x-www-form-urlencoded` (RFC 6749, appendix B). */
function readForm(text: string): Result<Parameters, OAuthRefusal> {
  const read = readEach(text)
  if (!read.ok) return read
  const { found, faults } = read.value
  const [first] = faults.values()
  return first === undefined ? ok(found) : fail(first)
}

/** The same, as it stands in a query as well, with what is wrong about each parameter: for some it matters where to say so. */
export function readEach(text: string): Result<EachParameter, OAuthRefusal> {
  const read = new Reader()
  const all = pieces(text)
  if (all.length > parametersMax) return invalid('There are too many parameters.')
  for (const piece of all) {
    const name = decoded(nameOf(piece))
    if (name === null) return invalid(notUtf8)
    if (isKnown(name)) read.take(name, decoded(piece.slice(nameOf(piece).length + 1)))
  }
  return ok(read)
}

/** A parameter with a fault is not among those that were found. */
export interface EachParameter {
  readonly found: Parameters
  readonly faults: ReadonlyMap<ParameterName, OAuthRefusal>
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
    read.take(name, value)
  }
  const [first] = read.faults.values()
  return first === undefined ? ok(read.found) : fail(first)
}

class Reader implements EachParameter {
  readonly found = new Map<ParameterName, string>()
  readonly faults = new Map<ParameterName, OAuthRefusal>()
  /** Empty ones as well: a parameter that comes twice is doubled even where one of them says nothing. */
  readonly #seen = new Set<ParameterName>()

  /** `value`: null where it could not be decoded. */
  take(name: ParameterName, value: string | null): void {
    const fault = this.#faultOf(name, value)
    this.#seen.add(name)
    if (fault !== null) {
      this.faults.set(name, fault)
      this.found.delete(name)
    } else if (value !== null && value !== '' && !this.faults.has(name)) this.found.set(name, value)
  }

  #faultOf(name: ParameterName, value: string | null): OAuthRefusal | null {
    const about = (what: string) => oauthRefusal('oauth_request_invalid', { hint: `"${name}" ${what}` })
    if (this.#seen.has(name)) {
      // RFC 8707, section 2, lets it repeat; a token of ours is for one API alone.
      if (name !== 'resource') return about('comes twice.')
      return this.found.get(name) === value ? null : oauthRefusal('resource_invalid')
    }
    if (value === null) return about('is not percent-encoded UTF-8.')
    if (value.length > lengthMax[name]) return about('is too long.')
    return isText(value) ? null : about('has characters that no value has.')
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
