import type { Api, InjectionPlace } from '../core/apis/api.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import { withoutParameter } from '../core/decision/query.ts'
import { traceIdOf } from '../core/decision/trace-context.ts'

/** What the gateway knows of header names. Made once: names repeat, so each is looked at once. */
export interface HeaderRules {
  /** Rule of a header line of a request or of an answer, whatever its spelling. */
  of(name: string): HeaderRule
  /** The same of a name that stands in a text. */
  at(text: string, from: number, to: number): HeaderRule
  /** Headers and parameters in which an API takes credentials. */
  places(api: Api): CredentialPlaces
}

export interface HeaderRule {
  /** As it was spelled. */
  readonly name: string
  /** Lower case, with `-` for `_` and `.`: some upstreams cannot tell these apart. */
  readonly normal: string
  /** Belongs to one connection, not to the message (RFC 9110, section 7.6.1). */
  readonly hopByHop: boolean
  /** Says where the body ends: of a request it is written anew, as it came. */
  readonly framing: boolean
  /** States something about the client, or the request, that only the gateway may state. */
  readonly reserved: boolean
  /** Of what the gateway tells the upstream alone, and the upstream may not tell anybody. */
  readonly identity: boolean
  /** `traceparent`, `tracestate`: go on unchanged, and only where the former is valid. */
  readonly trace: boolean
}

/** What does not go on to the upstream: where the client's credential may be, and where the upstream's own will be. */
export interface CredentialPlaces {
  /** Normal names. */
  readonly headers: ReadonlySet<string>
  readonly parameters: readonly string[]
}

export function createHeaderRules(): HeaderRules {
  const rules: (HeaderRule | undefined)[] = Array.from({ length: rulesMax })
  const places = new WeakMap<Api, CredentialPlaces>()
  const at = (text: string, from: number, to: number): HeaderRule => {
    const place = placeOf(text, from, to)
    const [one, other] = [rules[place], rules[place + 1]]
    if (one !== undefined && one.name.length === to - from && text.startsWith(one.name, from)) return one
    if (other !== undefined && other.name.length === to - from && text.startsWith(other.name, from)) return other
    const rule = ruleOf(text.slice(from, to))
    if (to - from > nameBytesMax) return rule
    rules[place] = rule
    rules[place + 1] = one
    return rule
  }
  return {
    of: (name) => at(name, 0, name.length),
    at,
    places: (api) => {
      const known = places.get(api)
      if (known !== undefined) return known
      const made = placesOf(api)
      places.set(api, made)
      return made
    },
  }
}

/** Clients choose names, so what is remembered is bounded. */
const rulesMax = 1024
const nameBytesMax = 64

/**
 * Which two places a name has for its rule: by a few of its letters, so that it need not be cut out and hashed. Two names
 * that share them do not push each other out.
 */
function placeOf(text: string, from: number, to: number): number {
  const first = text.charCodeAt(from)
  const middle = text.charCodeAt((from + to) >> 1)
  const last = text.charCodeAt(to - 1)
  return (first * 7 + middle * 31 + last * 127 + (to - from) * 13) & (rulesMax - 2)
}

function ruleOf(cut: string): HeaderRule {
  // A part of a text would hold all of it.
  const name = Buffer.from(cut, 'latin1').toString('latin1')
  const normal = name.toLowerCase().replaceAll(/[_.]/g, '-')
  return {
    name,
    normal,
    hopByHop: hopByHop.has(normal),
    trace: normal === 'traceparent' || normal === 'tracestate',
    framing: normal === 'content-length',
    identity: normal.startsWith('x-postern-'),
    reserved: reserved.has(normal) || reservedPrefixes.some((prefix) => normal.startsWith(prefix)),
  }
}

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const reservedPrefixes = ['x-postern-', 'x-forwarded-', 'x-envoy-']

const reserved: ReadonlySet<string> = new Set([
  'x-postern',
  'x-forwarded',
  'forwarded',
  'forwarded-for',
  'x-request-id',
  // addresses of clients, as other proxies spell them
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  // another path or method than the one that was decided
  'x-original-url',
  'x-original-uri',
  'x-original-method',
  'x-original-host',
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-host',
  // becomes the environment variable HTTP_PROXY of CGI programs
  'proxy',
])

function placesOf(api: Api): CredentialPlaces {
  const headers = new Set<string>()
  const parameters: string[] = []
  for (const place of api.places) {
    switch (place.in) {
      case 'bearer':
      case 'basic':
        headers.add('authorization')
        break
      case 'header':
        headers.add(ruleOf(place.name).normal)
        break
      case 'pair':
        headers.add(ruleOf(place.id).normal).add(ruleOf(place.secret).normal)
        break
      case 'query':
        parameters.push(place.name)
        break
    }
  }
  for (const credential of [api.upstreamCredentials.live, api.upstreamCredentials.sandbox]) {
    if (credential !== null) addInjectionPlace(credential.place, headers, parameters)
  }
  if (api.llm !== null) for (const name of [...api.llm.provider.requestHeaders, 'accept-encoding']) headers.add(name)
  return { headers, parameters }
}

function addInjectionPlace(place: InjectionPlace, headers: Set<string>, parameters: string[]): void {
  switch (place.in) {
    case 'bearer':
    case 'basic':
      headers.add('authorization')
      break
    case 'header':
      headers.add(ruleOf(place.name).normal)
      break
    case 'query':
      if (!parameters.includes(place.name)) parameters.push(place.name)
      break
  }
}

/**
 * The client's header lines that go on to the upstream, as they stand in a head: what belongs to the client's
 * connection, what only the gateway may state and every credential place of the API are gone. Only behind them come
 * the gateway's own lines, so that no client can name those in `Connection`.
 */
export function requestFields(
  rules: HeaderRules,
  lines: readonly string[],
  places: CredentialPlaces,
  evaluation: Evaluation,
): string {
  const nominated = nominatedBy(lines)
  let kept = ''
  let traced: boolean | null = null
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    const value = lines[i + 1] ?? ''
    const { normal, hopByHop: ofConnection, reserved: ofGateway, framing, trace } = rules.of(name)
    if (ofConnection || ofGateway || framing || places.headers.has(normal) || nominated?.has(normal) === true) continue
    if (trace && !(traced ??= traceIdOf(lines) !== null)) continue
    if (normal === 'referer' && places.parameters.length > 0 && holdsKey(value, places, evaluation)) continue
    kept += `${name}: ${value}\r\n`
  }
  return kept
}

/** Whether one of these lines has that normal name, which keeps the length of a name. */
export function isNamed(rules: HeaderRules, lines: readonly string[], normal: string): boolean {
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (name.length === normal.length && rules.of(name).normal === normal) return true
  }
  return false
}

/**
 * Trailer lines of a message that may go on. They come when all has been decided, so nothing that frames, routes,
 * authenticates or describes the message may stand there (RFC 9110, section 6.5.1), nor what the gateway states.
 */
export function trailerLines(
  rules: HeaderRules,
  lines: readonly string[],
  places: CredentialPlaces | null,
): readonly string[] {
  const kept: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (maySendTrailer(rules, name, places)) kept.push(name, lines[i + 1] ?? '')
  }
  return kept
}

/** The fields that `Trailer` announces, less those that will not go on; null where none is left. */
export function trailerNames(
  rules: HeaderRules,
  lines: readonly string[],
  places: CredentialPlaces | null,
): string | null {
  const names: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    if (rules.of(lines[i] ?? '').normal !== 'trailer') continue
    for (const part of (lines[i + 1] ?? '').split(',')) {
      const name = part.trim()
      if (name !== '' && maySendTrailer(rules, name, places)) names.push(name)
    }
  }
  return names.length === 0 ? null : names.join(', ')
}

function maySendTrailer(rules: HeaderRules, name: string, places: CredentialPlaces | null): boolean {
  const { normal, hopByHop: ofConnection, reserved: ofGateway } = rules.of(name)
  return !ofConnection && !ofGateway && !notInTrailers.has(normal) && places?.headers.has(normal) !== true
}

const notInTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'location',
  'max-forwards',
  'range',
  'set-cookie',
  'vary',
  'www-authenticate',
])

/** Names in `Connection`, normal. Null where it says nothing beyond how long the connection lives. */
export function nominatedBy(lines: readonly string[]): ReadonlySet<string> | null {
  let names: Set<string> | null = null
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue
    const value = lines[i + 1] ?? ''
    if (value === 'keep-alive' || value === 'close') continue
    for (const option of value.split(',')) {
      const { normal } = ruleOf(option.trim())
      // The length of a body is of the message; without it the body would be framed anew.
      if (normal === '' || normal === 'keep-alive' || normal === 'close' || normal === 'content-length') continue
      names ??= new Set()
      names.add(normal)
    }
  }
  return names
}

/** A page that was itself asked for with the key in its address. */
function holdsKey(referer: string, places: CredentialPlaces, { presented }: Evaluation): boolean {
  const secret = presented?.secret ?? ''
  if (secret !== '' && (referer.includes(secret) || referer.includes(encodeURIComponent(secret)))) return true
  const mark = referer.indexOf('?')
  const query = mark === -1 ? '' : referer.slice(mark)
  return places.parameters.some((name) => withoutParameter(query, name) !== query)
}

/** Path and query for the upstream: the bytes that came, less the address's prefix and a query key's parameter. */
export function upstreamPath(
  target: string,
  basePath: string,
  places: CredentialPlaces,
  evaluation: Evaluation,
): string {
  const path = target.slice(evaluation.prefixLength, target.length - evaluation.query.length)
  const query = keylessQuery(evaluation.query, places)
  return path.startsWith('/') ? basePath + path + query : `${basePath}/${path}${query}`
}

/** The query with its `?`, less the parameters in which the API takes keys. */
export function keylessQuery(query: string, { parameters }: CredentialPlaces): string {
  let kept = query
  if (kept !== '') for (const name of parameters) kept = withoutParameter(kept, name)
  return kept
}
