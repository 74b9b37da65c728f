import Type, { type Static, type TSchema, type TString } from 'typebox'

import { issuer } from './config-issuers.ts'
import { count, duration, file, headerName, size, strict, text } from './config-terms.ts'
import { upstreamTargets, upstreamUrl } from './config-upstream.ts'

/**
 * The schema of `postern.yaml`, version 1. `expects` says in words what a value must be: error messages show it.
 * What a value means beyond its shape is checked where the file is read.
 */

const socket = text(
  '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):[0-9]{1,5}$',
  'host:port, such as 127.0.0.1:8080 or "[::1]:8080"',
)
const peer = text('^[A-Za-z0-9.:/]+$', 'an IP address, a CIDR range, loopback or private')
const brandName = text('^[a-z][a-z0-9]{1,11}$', 'two to twelve lower-case letters and digits, a letter first')
const region = text(
  '^[a-z][a-z0-9-]{0,31}$',
  'the name of a region: lower-case letters, digits and "-", a letter first, 32 at most',
)
const routeId = text('^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$', 'an id of letters, digits and "." "_" ":" "-"')
const queryName = text('^[A-Za-z0-9._~-]+$', 'the name of a query parameter: letters, digits and "." "_" "~" "-"')
const method = text('^[A-Z][A-Z-]{0,31}$', 'a method in upper case, such as GET')
const name = Type.String({ minLength: 1, maxLength: 200, expects: 'a name' })
const names = Type.Array(name)

const exposurePolicy = Type.Enum(['flag', 'revoke'])

/** Kinds that a plan can name. */
const configKinds = Type.Enum(['secret', 'publishable', 'integration', 'management', 'oauth_client'])

const tls = Type.Object(
  {
    certificates: Type.Array(Type.Object({ cert: file, key: file }, strict), { minItems: 1 }),
    listeners: Type.Optional(Type.Array(Type.Enum(['gateway', 'console', 'ops']), { minItems: 1 })),
    // Unquoted, YAML reads them as numbers.
    min_version: Type.Optional(Type.Enum(['1.2', '1.3', 1.2, 1.3], { expects: '1.2 or 1.3' })),
    hsts: Type.Optional(duration),
    hsts_subdomains: Type.Optional(Type.Boolean()),
  },
  strict,
)

const listen = Type.Object(
  {
    gateway: Type.Optional(socket),
    console: Type.Optional(socket),
    ops: Type.Optional(socket),
    forward_auth: Type.Optional(socket),
    tls: Type.Optional(tls),
    trusted_proxies: Type.Optional(Type.Array(peer)),
    plain_http_from: Type.Optional(Type.Array(peer)),
    max_header_lines: Type.Optional(Type.Integer({ minimum: 10, maximum: 1_000 })),
    max_header_bytes: Type.Optional(size),
    max_target_bytes: Type.Optional(size),
    max_body: Type.Optional(size),
    max_connections: Type.Optional(count),
  },
  strict,
)

const address = Type.String({
  minLength: 1,
  expects: 'a host such as shop.example.com, a host with a prefix such as example.com/shop, or a port such as ":9001"',
})
const upstreamCredential = Type.String({
  expects: 'the credential that the API behind the gateway expects, such as ${OPENAI_API_KEY} or file:./openai.key',
})

const perEnvironment = (value: TString) =>
  Type.Union([
    value,
    Type.Object({ live: Type.Optional(value), sandbox: Type.Optional(value) }, { ...strict, minProperties: 1 }),
  ])

/** One value for all, or one for each region; and that for both environments, or for each of them. */
function placed<Value extends TSchema>(value: Value) {
  const regions = Type.Record(Type.String(), value, { minProperties: 1, expects: 'regions such as {eu: …, us: …}' })
  const ofEnvironment = Type.Optional(Type.Union([value, regions]))
  return Type.Union([
    value,
    Type.Object({ live: ofEnvironment, sandbox: ofEnvironment }, { ...strict, minProperties: 1 }),
    regions,
  ])
}

const accept = Type.Array(Type.Enum(['key', 'token', 'jwt']), { minItems: 1 })
const placeOptions = {
  accept: Type.Optional(accept),
  kinds: Type.Optional(
    Type.Array(Type.Enum(['secret', 'publishable', 'integration', 'oauth_client']), { minItems: 1 }),
  ),
}
const place = Type.Union(
  [
    Type.Object({ in: Type.Literal('bearer'), ...placeOptions }, strict),
    Type.Object({ in: Type.Literal('header'), name: headerName, ...placeOptions }, strict),
    Type.Object({ in: Type.Literal('query'), name: queryName, ...placeOptions }, strict),
    Type.Object({ in: Type.Literal('basic'), ...placeOptions }, strict),
    Type.Object({ in: Type.Literal('pair'), id: headerName, secret: headerName, ...placeOptions }, strict),
  ],
  { expects: 'a place such as {in: bearer} or {in: header, name: X-Api-Key}' },
)

const limit = Type.Object(
  {
    name,
    per: Type.Enum(['credential', 'account', 'project', 'route', 'ip']),
    requests: count,
    window: duration,
    burst: Type.Optional(count),
  },
  strict,
)
const quota = Type.Object(
  {
    name,
    per: Type.Enum(['credential', 'account', 'project']),
    requests: count,
    period: Type.Enum(['hour', 'day', 'week', 'month', 'year']),
  },
  strict,
)

/** Where the gateway itself presents a credential to the upstream. */
const injectionPlace = Type.Union(
  [
    Type.Object({ in: Type.Literal('bearer') }, strict),
    Type.Object({ in: Type.Literal('basic') }, strict),
    Type.Object({ in: Type.Literal('header'), name: headerName }, strict),
    Type.Object({ in: Type.Literal('query'), name: queryName }, strict),
  ],
  { expects: 'a place such as {in: bearer} or {in: header, name: X-Api-Key}' },
)

const budgetName = text('^[a-z][a-z0-9_-]{0,39}$', 'a name of lower-case letters, digits, "-" and "_"')
const currency = text('^[A-Z]{3}$', 'a currency as three capital letters, such as USD')
const model = text('^[!-)+-~]{1,200}\\*?$|^\\*$', 'the name of a model, or its beginning and "*"')
const money = Type.Number({ minimum: 0, maximum: 1_000_000_000, expects: 'an amount such as 2.50' })

const budget = Type.Object(
  {
    name: budgetName,
    per: Type.Enum(['credential', 'account', 'project']),
    tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 })),
    money: Type.Optional(money),
    currency: Type.Optional(currency),
    period: Type.Enum(['hour', 'day', 'week', 'month', 'year']),
  },
  strict,
)

const price = Type.Object(
  {
    model,
    from: text('^[0-9]{4}-[0-9]{2}-[0-9]{2}$', 'the first day of the price (UTC), such as 2026-01-01'),
    input: money,
    cached_input: Type.Optional(money),
    cache_write: Type.Optional(money),
    output: money,
    currency,
    per: Type.Enum(['1M', '1K']),
  },
  strict,
)

/** An API that runs language models. */
const llm = Type.Object(
  {
    provider: Type.Enum(['openai', 'anthropic', 'mistral', 'gemini', 'ollama']),
    models: Type.Optional(Type.Array(model, { minItems: 1 })),
    prices: Type.Optional(Type.Array(price)),
    default_output: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000 })),
    stream_usage: Type.Optional(Type.Enum(['ask', 'leave'])),
  },
  strict,
)

const timeouts = Type.Object(
  {
    connect: Type.Optional(duration),
    first_byte: Type.Optional(duration),
    idle: Type.Optional(duration),
    total: Type.Optional(duration),
  },
  strict,
)

const connectionName = text(
  '^[a-z][a-z0-9_-]{0,62}$',
  'the name of a connection of your own: lower-case letters, digits, "-" and "_", a letter first',
)
/** Whose credential the gateway puts into the request: one of the operator's own, or the customer's to a platform. */
const connection = Type.Union(
  [
    connectionName,
    Type.Object(
      {
        platform: Type.Optional(name),
        live: Type.Optional(connectionName),
        sandbox: Type.Optional(connectionName),
      },
      { ...strict, minProperties: 1 },
    ),
  ],
  { expects: 'the name of a connection, {live: NAME, sandbox: NAME}, or {platform: ID} for the customer’s own' },
)

const maintenance = Type.Union([
  Type.Boolean(),
  Type.Object(
    {
      retry_after: Type.Optional(duration),
      message: Type.Optional(text('^[^\\u0000-\\u001f\\u007f-\\u009f]{1,500}$', 'one line of up to 500 characters')),
    },
    strict,
  ),
])

/** What an API says for all of its routes, and each route for itself. */
const routeDefaults = {
  connection: Type.Optional(connection),
  client_side: Type.Optional(Type.Boolean()),
  on_stale: Type.Optional(Type.Enum(['refuse', 'serve'])),
  on_revoke: Type.Optional(Type.Enum(['close', 'finish'])),
  timeouts: Type.Optional(timeouts),
  body_max: Type.Optional(size),
  headers_max: Type.Optional(size),
  maintenance: Type.Optional(maintenance),
  /** Hold requests against the operation of the OpenAPI document. */
  validate: Type.Optional(Type.Boolean()),
}

const route = Type.Object(
  {
    id: routeId,
    methods: Type.Optional(Type.Array(method, { minItems: 1 })),
    path: Type.Optional(Type.String({ minLength: 1, expects: 'a path such as /v1/orders/{id} or /v1/files/**' })),
    scopes: Type.Optional(Type.Object({ any: Type.Optional(names), all: Type.Optional(names) }, strict)),
    cost: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
    limits: Type.Optional(Type.Array(limit)),
    raw_path: Type.Optional(Type.Boolean()),
    runs_model: Type.Optional(Type.Boolean()),
    ...routeDefaults,
  },
  strict,
)

const scope = Type.Union([
  Type.String({ expects: 'a description' }),
  Type.Object(
    {
      description: Type.String(),
      /** Who holds it holds these as well. */
      includes: Type.Optional(names),
      retired: Type.Optional(Type.Boolean()),
    },
    strict,
  ),
])

/** What a member of each role may allow an OAuth client. */
const memberScopes = Type.Object(
  {
    owner: Type.Optional(names),
    admin: Type.Optional(names),
    developer: Type.Optional(names),
    viewer: Type.Optional(names),
  },
  strict,
)

const resource = text('^[a-z][a-z0-9+.-]*:[!-~]+$', 'an absolute URI such as https://shop.example.com')
const localPath = text('^/[!-~]*$', 'a path such as /oauth/token')

/** Tokens for an API: what they are, how long they live, and where they are asked for under its own address. */
const oauth = Type.Object(
  {
    access_token: Type.Optional(Type.Enum(['opaque', 'jwt'])),
    ttl: Type.Optional(duration),
    refresh: Type.Optional(Type.Object({ idle: Type.Optional(duration), absolute: Type.Optional(duration) }, strict)),
    resources: Type.Optional(Type.Array(resource, { minItems: 1, maxItems: 20 })),
    paths: Type.Optional(
      Type.Union(
        [
          text('^(standard|none)$', 'standard, none, or {token: PATH, introspect: PATH, revoke: PATH}'),
          Type.Object(
            {
              token: Type.Optional(localPath),
              introspect: Type.Optional(localPath),
              revoke: Type.Optional(localPath),
            },
            { ...strict, minProperties: 1 },
          ),
        ],
        { expects: 'standard, none, or {token: PATH, introspect: PATH, revoke: PATH}' },
      ),
    ),
  },
  strict,
)

const api = Type.Object(
  {
    address: placed(address),
    upstream: placed(Type.Union([upstreamUrl, upstreamTargets])),
    upstream_credential: Type.Optional(perEnvironment(upstreamCredential)),
    upstream_credential_in: Type.Optional(injectionPlace),
    identity_headers: Type.Optional(Type.Boolean()),
    preset: Type.Optional(name),
    llm: Type.Optional(llm),
    credentials: Type.Optional(Type.Array(place, { minItems: 1 })),
    scopes: Type.Optional(Type.Record(Type.String(), scope)),
    roles: Type.Optional(Type.Record(Type.String(), names)),
    member_scopes: Type.Optional(memberScopes),
    openapi: Type.Optional(file),
    oauth: Type.Optional(oauth),
    routes: Type.Optional(Type.Array(route)),
    unmatched: Type.Optional(Type.Enum(['refuse', 'forward'])),
    case_insensitive_paths: Type.Optional(Type.Boolean()),
    retired: Type.Optional(Type.Boolean()),
    ...routeDefaults,
  },
  strict,
)

const plan = Type.Object(
  {
    apis: names,
    kinds: Type.Optional(Type.Array(configKinds, { minItems: 1 })),
    scopes: Type.Optional(names),
    limits: Type.Optional(Type.Array(limit)),
    quotas: Type.Optional(Type.Array(quota)),
    budgets: Type.Optional(Type.Array(budget)),
    models: Type.Optional(Type.Array(model, { minItems: 1 })),
    max_keys: Type.Optional(count),
    max_key_age: Type.Optional(duration),
    on_exposed: Type.Optional(exposurePolicy),
    retired: Type.Optional(Type.Boolean()),
  },
  strict,
)

export const ConfigFile = Type.Object(
  {
    version: Type.Literal(1),
    brand: brandName,
    former_brands: Type.Optional(Type.Array(brandName)),
    listen: Type.Optional(listen),
    public_url: Type.Optional(Type.String({ minLength: 1, expects: 'a URL such as https://console.example.com' })),
    data: Type.Optional(file),
    store: Type.Optional(
      Type.Object({ url: Type.String({ minLength: 1, expects: 'sqlite or a postgres:// URL' }) }, strict),
    ),
    keys: Type.Optional(file),
    geoip: Type.Optional(file),
    memory: Type.Optional(Type.Object({ max_credentials: Type.Optional(count) }, strict)),
    failures: Type.Optional(Type.Object({ attempts: Type.Optional(count), window: Type.Optional(duration) }, strict)),
    on_exposed: Type.Optional(exposurePolicy),
    shutdown: Type.Optional(Type.Object({ grace: Type.Optional(duration), delay: Type.Optional(duration) }, strict)),
    stale_after: Type.Optional(duration),
    retention: Type.Optional(
      Type.Object(
        {
          requests: Type.Optional(duration),
          minutes: Type.Optional(duration),
          hours: Type.Optional(duration),
          days: Type.Optional(duration),
          events: Type.Optional(text('^(forever|[1-9][0-9]{0,8}(ms|s|m|h|d))$', 'a duration such as 400d, or forever')),
        },
        strict,
      ),
    ),
    log: Type.Optional(
      Type.Object(
        {
          access: Type.Optional(Type.String({ minLength: 1, expects: 'off, stdout or the path of a file' })),
          one_in: Type.Optional(count),
        },
        strict,
      ),
    ),
    request_log: Type.Optional(
      Type.Object(
        {
          refusals_per_second_per_ip: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
          queue: Type.Optional(Type.Integer({ minimum: 100, maximum: 10_000_000 })),
        },
        strict,
      ),
    ),
    regions: Type.Optional(Type.Array(region, { minItems: 1 })),
    apis: Type.Optional(Type.Record(Type.String(), api)),
    plans: Type.Optional(Type.Record(Type.String(), plan)),
    issuers: Type.Optional(Type.Record(Type.String(), issuer)),
    connections: Type.Optional(Type.Object({ allow_private: Type.Optional(Type.Array(peer)) }, strict)),
  },
  { ...strict, $id: 'postern.yaml', title: 'postern.yaml' },
)

export type ConfigFile = Static<typeof ConfigFile>
export type ConfigApi = Static<typeof api>
export type ConfigRoute = Static<typeof route>
export type ConfigPlace = Static<typeof place>
export type ConfigPlan = Static<typeof plan>
export type ConfigLimit = Static<typeof limit>
export type ConfigOAuth = Static<typeof oauth>
export type ConfigLlm = Static<typeof llm>
export type ConfigPrice = Static<typeof price>
export type ConfigBudget = Static<typeof budget>
