import Type, { type Static } from 'typebox'

import { count, duration, file, strict, text } from './config-terms.ts'

const url = Type.String({ minLength: 1, expects: 'a URL such as http://127.0.0.1:3000' })

const target = Type.Union([
  url,
  Type.Object({ url, weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })) }, strict),
])

const status = Type.Integer({ minimum: 100, maximum: 599, expects: 'a status such as 503' })
const statuses = Type.Array(Type.Union([status, text('^[1-5]xx$', 'a class such as 5xx')]), {
  minItems: 1,
})

const passive = Type.Object(
  {
    failures: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
    window: Type.Optional(duration),
    eject: Type.Optional(duration),
    statuses: Type.Optional(statuses),
  },
  strict,
)

const health = Type.Object(
  {
    path: text('^/[!-~]*$', 'a path such as /healthz'),
    interval: Type.Optional(duration),
    timeout: Type.Optional(duration),
    expect: Type.Optional(statuses),
    unhealthy_after: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    healthy_after: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  },
  strict,
)

const tls = Type.Object(
  {
    ca: Type.Optional(file),
    cert: Type.Optional(file),
    key: Type.Optional(file),
    server_name: Type.Optional(text('^[A-Za-z0-9._-]{1,253}$', 'a host name')),
  },
  { ...strict, minProperties: 1 },
)

/** Where requests are sent, as one URL … */
export const upstreamUrl = Type.String({
  minLength: 1,
  expects: 'the URL of the API behind the gateway, such as http://127.0.0.1:3000',
})

/** … or as several, and how. */
export const upstreamTargets = Type.Object(
  {
    targets: Type.Array(target, { minItems: 1, maxItems: 64 }),
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 5 })),
    passive: Type.Optional(Type.Union([Type.Literal(false), passive])),
    health: Type.Optional(health),
    tls: Type.Optional(tls),
    max_connections: Type.Optional(count),
    keep_alive: Type.Optional(duration),
  },
  strict,
)

export type ConfigUpstream = Static<typeof upstreamTargets>
