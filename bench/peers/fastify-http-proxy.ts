import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'

import proxy from '@fastify/http-proxy'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'

/**
 * Run as a process of its own, with its port, that of the upstream and a file of keys, one a line: a check in a
 * `preHandler`, as the documentation of the plugin advises, that does what ours does on its way (digest, look-up,
 * state and expiry, scope, rate limit with its headers, count, last use), and tells the upstream who it is. What ours
 * does beside it (address, route, failures of a peer, quota, request log) is left out.
 */
const [port, upstream] = [Number(process.argv[2]), Number(process.argv[3])]

interface Key {
  readonly id: string
  readonly account: string
  readonly scopes: ReadonlySet<string>
  readonly expiresAt: number
  active: boolean
  /** GCRA: the theoretical arrival time of the next request, in ms. */
  arrival: number
  count: number
  lastUsedAt: number
}

const requests = 1_000_000_000
const toleranceMs = 60_000
const incrementMs = toleranceMs / requests
const policy = `"default";q=${requests};w=60`
const keys = new Map<string, Key>()
for (const [i, key] of readFileSync(process.argv[4] ?? '', 'utf8')
  .trim()
  .split('\n')
  .entries()) {
  keys.set(hash('sha256', key, 'base64'), {
    id: `key_${i}`,
    account: `acc_${i % 1_000}`,
    scopes: new Set(['orders.read']),
    expiresAt: Number.POSITIVE_INFINITY,
    active: true,
    arrival: 0,
    count: 0,
    lastUsedAt: 0,
  })
}

declare module 'fastify' {
  interface FastifyRequest {
    key: Key | null
  }
}

function check(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { authorization = '' } = request.headers
  const key = authorization.startsWith('Bearer ')
    ? keys.get(hash('sha256', authorization.slice('Bearer '.length), 'base64'))
    : undefined
  const now = Date.now()
  if (key === undefined || !key.active || now >= key.expiresAt) {
    reply.code(401).send({ error: 'invalid_key' })
    return
  }
  if (!key.scopes.has('orders.read')) {
    reply.code(403).send({ error: 'scope_missing' })
    return
  }
  const arrival = Math.max(key.arrival, now)
  if (arrival - now > toleranceMs) {
    reply.code(429).header('retry-after', '1').send({ error: 'rate_limited' })
    return
  }
  key.arrival = arrival + incrementMs
  reply.header('ratelimit-policy', policy).header('ratelimit', `"default";r=${remaining(key, now)};t=1`)
  key.count++
  key.lastUsedAt = now
  request.key = key
  done()
}

function remaining({ arrival }: Key, now: number): number {
  return Math.floor((toleranceMs - (arrival - now)) / incrementMs)
}

const app = fastify({ logger: false, keepAliveTimeout: 120_000 })
app.decorateRequest('key', null)
app.register(proxy, {
  upstream: `http://127.0.0.1:${upstream}`,
  preHandler: check,
  disableRequestLogging: true,
  undici: { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 },
  replyOptions: {
    rewriteRequestHeaders: (request, { authorization, ...headers }) => ({
      ...headers,
      'x-key': authorization === undefined ? '' : (request.key?.id ?? ''),
      'x-account': request.key?.account ?? '',
    }),
  },
})
await app.listen({ port, host: '127.0.0.1' })
process.stdout.write('{"ready":true}\n')
