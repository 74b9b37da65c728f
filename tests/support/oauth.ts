import { issue, type Holder } from './issue.ts'
import type { ApiCall } from './server.ts'
import { until } from './until.ts'

/** Two APIs at ports of their own, one of each vendor that mints tokens, and a plan with all of them. */
export const oauthYaml = `
request_log: {refusals_per_second_per_ip: 10000}
apis:
  shop:
    address: ":PORT0"
    upstream: UPSTREAM
    oauth: {paths: standard, resources: ["https://shop.example.com"]}
    scopes: {orders.read: Read orders, orders.write: Change orders, stock.read: Read stock}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
  stock:
    address: ":PORT1"
    upstream: UPSTREAM
    scopes: {stock.read: Read stock}
    routes: [{id: getStock, methods: [GET], path: "/v1/stock", scopes: {any: [stock.read]}}]
  vch: {address: ":PORT2", upstream: UPSTREAM, preset: voucherify}
  cards: {address: ":PORT3", upstream: UPSTREAM, preset: cardconnect, unmatched: forward}
  line: {address: ":PORT4", upstream: UPSTREAM, preset: throughline}
plans:
  pro:
    apis: [shop, stock, vch, cards, line]
    kinds: [secret, publishable, integration, oauth_client]
  small: {apis: [shop], kinds: [secret], scopes: [orders.read]}
`

export interface OAuthAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Tests look into answers of many shapes; each asserts what it reads.
  readonly body: ReturnType<JSON['parse']>
}

/** Parameters as a form; `undefined` leaves one out, an array sends it more than once. */
export type Form = Readonly<Record<string, string | readonly string[] | undefined>>

export function encoded(form: Form): string {
  const pairs = Object.entries(form).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each): [string, string] => [name, each]),
  )
  return new URLSearchParams(pairs).toString()
}

/** A POST of a form to an endpoint. */
export async function post(
  url: string,
  form: Form | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<OAuthAnswer> {
  const body = typeof form === 'string' ? form : encoded(form)
  return await send(url, 'POST', { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body)
}

export async function postJson(url: string, value: unknown): Promise<OAuthAnswer> {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return await send(url, 'POST', { 'content-type': 'application/json' }, body)
}

export async function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Uint8Array<ArrayBuffer>,
): Promise<OAuthAnswer> {
  const response = await fetch(url, { method, headers, redirect: 'manual', ...(body !== undefined && { body }) })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Basic as RFC 6749 has it, each half form-encoded first. */
export function basic({ publicId, value }: Pick<Holder, 'publicId' | 'value'>): { readonly authorization: string } {
  const half = (text: string) => encodeURIComponent(text)
  return { authorization: `Basic ${Buffer.from(`${half(publicId)}:${half(value)}`).toString('base64')}` }
}

/** The same in the body. */
export function inBody({ publicId, value }: Pick<Holder, 'publicId' | 'value'>): Form {
  return { client_id: publicId, client_secret: value }
}

/** A confidential client for the API `shop` that may read orders, where nothing else is said. */
export async function issueClient(api: ApiCall, project: string, fields: object = {}): Promise<Holder> {
  return await issue(api, project, {
    name: 'Client',
    kind: 'oauth_client',
    oauth: { type: 'confidential', grant_types: ['client_credentials'] },
    ...fields,
  })
}

/** The row of one request, once it has been written. */
export async function logged(api: ApiCall, answer: Pick<OAuthAnswer, 'headers'>): Promise<LoggedRequest> {
  const path = `/requests/${answer.headers.get('x-request-id')}`
  await until('the request is in the log', async () => (await api('GET', path)).status === 200)
  return (await api('GET', path)).body
}

interface LoggedRequest {
  readonly api: string | null
  readonly route: string | null
  readonly status: number
  readonly code: string | null
  readonly credential: string | null
  readonly trace: readonly { readonly step: string; readonly outcome: string; readonly compared: string }[] | null
}

/** What failed, as the log tells it. */
export function failedStep({ trace }: LoggedRequest): string | undefined {
  const step = trace?.find(({ outcome }) => outcome === 'fail')
  return step && `${step.step}: ${step.compared}`
}
