import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { issue, makeAccount } from '../support/issue.ts'
import { freePorts } from '../support/ports.ts'
import { request, type RawAnswer } from '../support/raw.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { nginxWith } from './support/nginx.ts'
import { runProxy, type Proxy } from './support/proxy.ts'

let server: TestServer
let cache: Proxy
const keys: string[] = []

beforeAll(async () => {
  server = await startTestServer({
    yaml: `
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    credentials: [{in: bearer}, {in: header, name: X-Api-Key}]
    unmatched: forward
plans:
  pro: {apis: [shop], kinds: [secret]}
`,
  })
  for (let i = 0; i < 2; i++)
    keys.push((await issue(server.api, (await makeAccount(server.api, 'pro')).project, { scopes: [] })).value)
  const folder = mkdtempSync(join(tmpdir(), 'postern-cache-'))
  const [port = 0] = await freePorts(1)
  // As people set up a cache that is to keep whatever it may.
  const config = `
proxy_cache_path ${join(folder, 'cache')} keys_zone=all:1m;
server {
  listen 127.0.0.1:${port};
  location / {
    proxy_pass http://127.0.0.1:${server.gatewayPort};
    proxy_set_header Host $http_host;
    proxy_cache all;
    proxy_cache_valid any 10m;
    add_header X-Cache $upstream_cache_status always;
  }
}
`
  writeFileSync(join(folder, 'cache.conf'), config)
  cache = await runProxy(nginxWith(folder, 'cache.conf'), folder, port)
})
beforeEach(() => server.upstream.clear())
afterAll(async () => {
  await cache.stop()
  await server.stop()
})

const get = (target: string, ...header: readonly (readonly [string, string])[]): Promise<RawAnswer> =>
  request(cache.port, { target, headers: header })

describe('nginx as a cache in front of the gateway (67)', () => {
  it.each(['/me', '/me/x.css', '/me?x=.js', '/me.png'])(
    'never gives one caller what another was answered: %s',
    async (target) => {
      for (const how of [(key: string) => ['X-Api-Key', key], (key: string) => ['Authorization', `Bearer ${key}`]]) {
        const seen: unknown[] = []
        for (const key of keys) {
          const [name = '', value = ''] = how(key)
          const { status, body } = await get(target, [name, value])
          const { headers } = body
          seen.push([status, headers[headers.indexOf('X-Postern-Account') + 1]])
        }
        expect(new Set(seen.map(String)).size).toBe(2)
        const nobody = await get(target)
        expect([nobody.status, nobody.body.code]).toEqual([401, 'credential_missing'])
      }
      expect(server.upstream.seen.length).toBe(4)
    },
  )
})
