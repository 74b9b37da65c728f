import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeAuthority } from '../support/certificates.ts'
import { bearer, issue, makeAccount, type Holder } from '../support/issue.ts'
import { freePorts } from '../support/ports.ts'
import { request, type RawAnswer, type RawRequest } from '../support/raw.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { nginxWith } from './support/nginx.ts'
import { runProxy, type Proxy } from './support/proxy.ts'

const host = 'shop.example.com'
/** From where a request in plain HTTP would be refused. */
const client = '127.0.0.9'
const authority = makeAuthority()

/** Says one event and no more, and grants every upgrade. */
const events: Server = createServer((_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n')
}).on('upgrade', (_request, socket) => {
  socket.on('error', () => undefined)
  socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\ndata: first\n\n')
})

let server: TestServer
let proxy: Proxy
let key: Holder
let folder: string

beforeAll(async () => {
  await new Promise<void>((resolve) => void events.listen(0, '127.0.0.1', resolve))
  server = await startTestServer({
    listen: ', trusted_proxies: ["127.0.0.1"], plain_http_from: ["127.0.0.1"]',
    yaml: `
apis:
  shop:
    address: ${host}/v1
    upstream: UPSTREAM
    unmatched: forward
  events:
    address: ${host}/events
    upstream: http://127.0.0.1:${(events.address() as AddressInfo).port}
    unmatched: forward
plans:
  pro: {apis: [shop, events], kinds: [secret]}
`,
  })
  key = await issue(server.api, (await makeAccount(server.api, 'pro')).project, {
    apis: ['shop', 'events'],
    scopes: [],
  })
  folder = mkdtempSync(join(tmpdir(), 'postern-nginx-'))
  const [port = 0] = await freePorts(1)
  const { cert, key: keyOfCert } = authority.issue({ names: [host] })
  writeFileSync(join(folder, `${host}.pem`), cert)
  writeFileSync(join(folder, `${host}.key`), keyOfCert, { mode: 0o600 })
  const written = readFileSync(join(import.meta.dirname, '../../deploy/nginx/postern.conf'), 'utf8')
  const here = written
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${server.gatewayPort}`)
    .replaceAll('listen 8443', `listen 127.0.0.1:${port}`)
    .replaceAll('/etc/ssl/', `${folder}/`)
  writeFileSync(join(folder, 'postern.conf'), here)
  proxy = await runProxy(nginxWith(folder, 'postern.conf'), folder, port)
})
afterAll(async () => {
  await proxy.stop()
  events.closeAllConnections()
  events.close()
  await server.stop()
})

const tls = { ca: authority.cert, servername: host } as const
const send = (asked: RawRequest): Promise<RawAnswer> => request(proxy.port, { host, tls, from: client, ...asked })

/** Resolves with the first bytes that match, while the answer goes on. */
function firstOf(path: string, ...lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const to = { port: proxy.port, host: '127.0.0.1', localAddress: client, ...tls }
    const socket = connect(to, () => {
      const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, `Authorization: Bearer ${key.value}`, ...lines]
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
    })
    let text = ''
    socket.on('error', reject).on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (!text.includes('data: first')) return
      socket.destroy()
      resolve(text)
    })
  })
}

describe('nginx in front of the gateway, with the file of deploy/', () => {
  it('is good to nginx itself, without a warning', () => {
    const { command, args } = nginxWith(folder, 'postern.conf')
    const { stderr, status } = spawnSync(command, [...args, '-t'], { encoding: 'utf8', timeout: 30_000 })
    expect([status, stderr.split('\n').filter((line) => /\[[a-z]+\]/.test(line))]).toEqual([0, []])
  })

  it('ends TLS for requests that then count as sent over TLS, by the client that sent them', async () => {
    const answer = await send({ target: '/v1/orders/1?a=%31', headers: [bearer(key.value)] })
    const { target, headers } = answer.body
    expect([answer.status, target]).toEqual([200, '/orders/1?a=%31'])
    const pairs = headers.flatMap((name: string, i: number) =>
      i % 2 === 0 ? [[name.toLowerCase(), headers[i + 1]]] : [],
    )
    expect(Object.fromEntries(pairs)).toMatchObject({
      'x-forwarded-for': client,
      'x-forwarded-proto': 'https',
      'x-forwarded-host': host,
      'x-postern-credential': key.id,
    })
    expect(answer.text).not.toContain(key.value)
  })

  it('passes on nothing that a client says of itself: address, scheme, host, identity', async () => {
    const answer = await send({
      target: '/v1/orders/1',
      headers: [
        bearer(key.value),
        ['X-Forwarded-For', '203.0.113.7'],
        ['X-Forwarded-Proto', 'http'],
        ['X-Forwarded-Host', 'evil.test'],
        ['X_Forwarded_For', '203.0.113.8'],
        ['Forwarded', 'for=203.0.113.9'],
        ['X-Real-IP', '203.0.113.10'],
        ['X_Postern_Account', 'forged'],
      ],
    })
    expect(answer.status).toBe(200)
    expect(answer.text).not.toMatch(/203\.0\.113|evil|forged/)
  })

  it('leaves the path as it was sent, so that the gateway decides on what the client asked for', async () => {
    for (const target of ['/v1//orders', '/v1/x/../orders', '/v1/%2e%2e/orders', '/v1/a%2fb']) {
      const answer = await send({ target, headers: [bearer(key.value)] })
      expect([target, answer.status, answer.body.code]).toEqual([target, 400, 'path_not_canonical'])
    }
  })

  it('hands on refusals with their challenge', async () => {
    const answer = await send({ target: '/v1/orders/1' })
    expect([answer.status, answer.body.code]).toEqual([401, 'credential_missing'])
    expect(answer.header('www-authenticate')).toContain('Bearer')
  })

  it('does not hold back an event stream, and passes an upgrade', async () => {
    expect(await firstOf('/events/now')).toContain('HTTP/1.1 200')
    expect(await firstOf('/events/ws', 'Connection: Upgrade', 'Upgrade: websocket')).toContain('HTTP/1.1 101')
  })
})
