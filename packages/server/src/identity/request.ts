import { formatIp, ipInRanges, type Ip } from '../base/ip.ts'
import { fail, ok, type Result } from '../base/result.ts'
import type { Declaration } from '../core/apis/api.ts'
import { clientOf } from '../core/decision/client.ts'
import { headerValue, headerValues } from '../core/decision/headers.ts'
import type { EndpointRequest } from '../core/oauth/endpoint.ts'

/** A request for a page, as the pages read it. Nothing in it is trusted. */
export interface PageRequest {
  readonly method: 'GET' | 'POST'
  /** Below the path of the public URL; a path of ours as it is written in the table of pages. */
  readonly path: string
  /** With the query as it was sent: where somebody comes back to after signing in. */
  readonly target: string
  readonly query: Fields
  readonly form: Fields
  readonly cookies: ReadonlyMap<string, string>
  readonly ip: Ip
  readonly userAgent: string | null
  readonly now: number
  readonly requestId: string
  readonly received: EndpointRequest
}

interface Fields {
  /** Null: it is not there, or there twice. */
  get(name: string): string | null
  all(name: string): readonly string[]
}

/** Why a request is not read; each has a page of its own. */
export type Unread = 'insecure' | 'method' | 'media_type' | 'too_large'

const formBytesMax = 65_536
const userAgentLengthMax = 256

export function readRequest(
  received: EndpointRequest,
  { publicUrl, transport }: Pick<Declaration, 'publicUrl' | 'transport'>,
): Result<PageRequest, Unread> {
  const { facts, body, requestId } = received
  const { ip, secure } = clientOf(facts, transport)
  if (facts.plainOnTls === true || !(secure || ipInRanges(ip, transport.plainHttpFrom))) return fail('insecure')
  const method = facts.method === 'HEAD' ? 'GET' : facts.method
  if (method !== 'GET' && method !== 'POST') return fail('method')
  if (body.length > formBytesMax) return fail('too_large')
  if (method === 'POST' && !isForm(headerValues(facts.headers, 'content-type'))) return fail('media_type')
  const target = belowBase(facts.target, publicUrl)
  const agent = headerValue(facts.headers, 'user-agent')
  return ok({
    method,
    path: pathOf(target),
    target,
    query: fieldsOf(target.slice(pathOf(target).length + 1)),
    form: fieldsOf(method === 'POST' ? body.toString('utf8') : ''),
    cookies: cookiesOf(headerValues(facts.headers, 'cookie')),
    ip,
    userAgent: agent === null ? null : agent.slice(0, userAgentLengthMax),
    now: facts.now,
    requestId,
    received,
  })
}

/** The same request as a GET of another page of ours: for what was asked before somebody signed in. */
export function askedAgain({ received }: PageRequest, target: string): EndpointRequest {
  return {
    ...received,
    facts: { ...received.facts, method: 'GET', target },
    body: Buffer.alloc(0),
    matched: { ...received.matched, query: target.slice(pathOf(target).length) },
  }
}

export const ipText = ({ ip }: PageRequest): string => formatIp(ip)

/** `/postern` of `https://example.com/postern`; empty where the console has an origin to itself. */
export const basePath = (publicUrl: string): string => new URL(publicUrl).pathname.replace(/\/+$/, '')

/** A proxy in front may take the path of the public URL away, or leave it. */
export function belowBase(target: string, publicUrl: string): string {
  const base = basePath(publicUrl)
  return base !== '' && target.startsWith(`${base}/`) ? target.slice(base.length) : target
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function isForm(types: readonly string[]): boolean {
  const [type = '', ...more] = types
  return more.length === 0 && /^application\/x-www-form-urlencoded *(;|$)/i.test(type)
}

function fieldsOf(text: string): Fields {
  const fields = new URLSearchParams(text)
  return {
    all: (name) => fields.getAll(name),
    get: (name) => {
      const [value, ...more] = fields.getAll(name)
      return value === undefined || more.length > 0 ? null : value
    },
  }
}

/** A name that comes twice is none: whoever planted the other one must not choose. */
function cookiesOf(headers: readonly string[]): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  const twice = new Set<string>()
  for (const pair of headers.flatMap((header) => header.split(';'))) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim()
    if (cookies.has(name)) twice.add(name)
    if (equals > 0) cookies.set(name, pair.slice(equals + 1).trim())
  }
  for (const name of twice) cookies.delete(name)
  return cookies
}
