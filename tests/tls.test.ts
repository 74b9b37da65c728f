import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect as connectPlain, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeAuthority, type Issued } from './support/certificates.ts'
import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { freePorts } from './support/ports.ts'
import { startServerProcess, type ServerProcess } from './support/process.ts'
import { exchange, request, type RawRequest } from './support/raw.ts'
import { managementKey, startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'
import { startEchoUpstream, type EchoUpstream } from './support/upstream.ts'

const authority = makeAuthority()
const year = 'max-age=31536000'

function put(folder: string, name: string, { cert, key }: Issued): void {
  writeFileSync(join(folder, `${name}.pem`), cert)
  writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 })
}

const yaml = (upstream: string, raw = upstream) => `
apis:
  shop:
    address: shop.test
    upstream: ${upstream}
    routes: [{id: all, path: "/**"}]
  raw:
    address: raw.test
    upstream: ${raw}
    routes: [{id: all, path: "/**"}]
  own:
    address: ":PORT0"
    upstream: ${upstream}
    routes: [{id: all, path: "/**"}]
plans:
  pro: {apis: [shop, own, raw], kinds: [secret]}
`

/** Says what it is told to, and then breaks the connection. */
async function startRawUpstream(text: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write(text, () => socket.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() }
}

describe('the gateway over TLS', () => {
  let raw: Awaited<ReturnType<typeof startRawUpstream>>
  let folder: string
  let server: TestServer
  let account: Account
  let key: Holder
  const tls = { ca: authority.cert, servername: 'shop.test' }
  const upstreamSaw = (name: string) => {
    const lines = server.upstream.seen.at(-1)?.headers ?? []
    return lines.flatMap((line, i) => (line.toLowerCase() === name ? [lines[i + 1]] : []))
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
    put(folder, 'shop', authority.issue({ names: ['shop.test'] }))
    raw = await startRawUpstream(
      'HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nContent-Length: 100\r\n\r\nabc',
    )
    put(folder, 'other', authority.issue({ names: ['own.test', '127.0.0.1'] }))
    server = await startTestServer({
      folder,
      yaml: yaml('UPSTREAM', raw.url),
      ownPorts: 1,
      // Nobody may send credentials over plain HTTP, but for the calls of the management API by this test.
      listen:
        ', plain_http_from: [127.0.0.1], tls: {listeners: [gateway], hsts: 365d, certificates: [{cert: ./shop.pem, key: ./shop.key}, {cert: ./other.pem, key: ./other.key}]}',
    })
    account = await makeAccount(server.api, 'pro')
    key = await issue(server.api, account.project, { apis: ['shop', 'own', 'raw'], scopes: [] })
  })
  afterAll(async () => {
    await server.stop()
    raw.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('WCT-6: takes a credential from anywhere, and tells the upstream https', async () => {
    const answer = await request(server.gatewayPort, { tls, from: '127.0.0.2', headers: [bearer(key.value)] })
    expect(answer.status).toBe(200)
    expect(upstreamSaw('x-forwarded-proto')).toEqual(['https'])
    expect(upstreamSaw('x-forwarded-for')).toEqual(['127.0.0.2'])
  })

  it('serves listeners of their own too, each name with its certificate', async () => {
    const port = Number(new URL(server.own[0] ?? '').port)
    const own = { ca: authority.cert, servername: 'own.test' }
    expect((await request(port, { tls: own, headers: [bearer(key.value)] })).status).toBe(200)
    expect(await request(port, { tls: { ca: authority.cert }, headers: [bearer(key.value)] }).catch(String)).toContain(
      'altnames',
    )
  })

  it('sends HSTS once with each answer over TLS: its own, the upstream’s and those to broken heads', async () => {
    const forwarded = await request(server.gatewayPort, { tls, headers: [bearer(key.value)] })
    const refused = await request(server.gatewayPort, { tls, headers: [bearer('wrong')] })
    const [broken] = await exchange(server.gatewayPort, 'GET / HTTP/9\r\n\r\n', { tls })
    expect(
      [forwarded, refused, broken].map((answer) => [answer?.status, answer?.headers('strict-transport-security')]),
    ).toEqual([
      [200, [year]],
      [401, [year]],
      [400, [year]],
    ])
  })

  it('15: refuses plain HTTP on its port, from peers of plain_http_from too, and marks the credential', async () => {
    const leaked = await issue(server.api, account.project, { apis: ['shop'], scopes: [] })
    server.upstream.clear()
    const plain: RawRequest = { headers: [bearer(leaked.value), ['X-Forwarded-Proto', 'https']] }
    for (const from of ['127.0.0.1', '127.0.0.2']) {
      const answer = await request(server.gatewayPort, { ...plain, from })
      expect([answer.status, answer.body.code, answer.header('strict-transport-security')]).toEqual([
        403,
        'insecure_transport',
        null,
      ])
    }
    expect(server.upstream.seen).toEqual([])
    await until('it is marked', async () => {
      return (await server.api('GET', `/credentials/${leaked.id}`)).body.exposed_at !== null
    })
    const explained = await server.api('GET', `/requests?credential=${leaked.id}`)
    expect(explained.status).toBe(200)
  })

  it('cuts what the upstream left unfinished, HTTP/1.0 too, and goes on serving', async () => {
    for (const version of ['1.0', '1.1']) {
      const head = `GET / HTTP/${version}\r\nHost: raw.test\r\nAuthorization: Bearer ${key.value}\r\n\r\n`
      const [answer] = await exchange(server.gatewayPort, head, { tls })
      expect([answer?.text, answer?.header('content-length')]).toEqual(['abc', '100'])
      expect(answer?.headers('strict-transport-security')).toEqual([year])
    }
    expect((await request(server.gatewayPort, { tls, headers: [bearer(key.value)] })).status).toBe(200)
    expect(server.logged.filter((line) => line.includes('gateway.fault'))).toEqual([])
  })

  it('stops cleanly with handshakes and silent connections under way', async () => {
    const extra = mkdtempSync(join(tmpdir(), 'postern-tls-'))
    put(extra, 'shop', authority.issue({ names: ['shop.test'] }))
    const short = await startTestServer({
      folder: extra,
      yaml: yaml('UPSTREAM'),
      ownPorts: 1,
      listen: ', tls: {listeners: [gateway], certificates: [{cert: ./shop.pem, key: ./shop.key}]}',
    })
    const silent = connectPlain(short.gatewayPort, '127.0.0.1')
    const half = connectPlain(short.gatewayPort, '127.0.0.1')
    const ended = [silent, half].map((socket) => socket.on('error', () => undefined))
    await Promise.all(ended.map((socket) => once(socket, 'connect')))
    half.write(Buffer.from([0x16, 3, 1]))
    const idle = connect({ port: short.gatewayPort, host: '127.0.0.1', ...tls })
    await once(idle, 'secureConnect')
    const beganAt = performance.now()
    await short.stop()
    expect(performance.now() - beganAt).toBeLessThan(8_000)
    expect(short.logged.filter((line) => line.includes('error'))).toEqual([])
    for (const socket of [silent, half, idle]) socket.destroy()
    rmSync(extra, { recursive: true, force: true })
  })
})

describe('every listener over TLS', () => {
  let folder: string
  let server: ServerProcess
  let upstream: EchoUpstream
  let consolePort: number
  let opsPort: number
  const first = authority.issue({ names: ['localhost'], notAfter: new Date(Date.now() + 3 * 86_400_000) })
  const tls = { ca: authority.cert, servername: 'localhost' }
  const listen =
    ', tls: {listeners: [gateway, console, ops], hsts: 365d, hsts_subdomains: true, certificates: [{cert: ./tls.pem, key: ./tls.key}]}'
  const own = ['Authorization', `Bearer ${managementKey}`] as const
  const console = (asked: RawRequest) => request(consolePort, { tls, headers: [own], ...asked })
  const logged = (event: string) =>
    server
      .output()
      .split('\n')
      .filter((line) => line.includes(`"event":"${event}"`))

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-tls-'))
    put(folder, 'tls', first)
    upstream = await startEchoUpstream()
    const ports = await freePorts(3)
    ;[consolePort = 0, opsPort = 0] = ports.slice(1)
    server = await startServerProcess({ folder, ports, listen, yaml: yaml(upstream.url).replace(':PORT0', 'own.test') })
  })
  afterAll(async () => {
    await server.stop()
    await upstream.close()
    server.remove()
  })

  it('the console answers with HSTS, on refusals and errors too', async () => {
    const answers = [
      await console({ target: '/api/v1/system' }),
      await console({ target: '/api/docs/' }),
      await console({ target: '/api/v1/system', headers: [bearer('wrong')] }),
      await console({ target: '/nothing' }),
      (await exchange(consolePort, 'GET / HTTP/9\r\n\r\n', { tls }))[0],
    ]
    expect(answers.map((answer) => answer?.status)).toEqual(
      [200, 302, 401, 404, 400].map((n, i) => (i === 1 ? answers[1]?.status : n)),
    )
    for (const answer of answers)
      expect(answer?.headers('strict-transport-security')).toEqual([`${year}; includeSubDomains`])
  })

  it('the console refuses plain HTTP, with a key and without', async () => {
    for (const asked of [
      { target: '/api/v1/system', headers: [own] },
      { target: '/api/v1/openapi.json' },
      { target: '/x' },
    ]) {
      const answer = await request(consolePort, asked)
      expect([answer.status, answer.body.code]).toEqual([403, 'insecure_transport'])
    }
  })

  it('ops answers over TLS alone, and says when the certificate expires', async () => {
    expect((await request(opsPort, { target: '/readyz' })).status).toBe(400)
    expect((await request(opsPort, { tls, target: '/readyz' })).status).toBe(200)
    const { text } = await request(opsPort, { tls, target: '/metrics' })
    const seconds = Number(/^postern_certificate_expires_seconds\{file="[^"]*tls\.pem"\} (.*)$/m.exec(text)?.[1])
    expect(seconds).toBeGreaterThan(3 * 86_400 - 120)
    expect(seconds).toBeLessThanOrEqual(3 * 86_400)
    expect(logged('certificate.expires_soon')).toEqual([expect.stringContaining('"days_left":2')])
  })

  it('a new pair is taken when its files change; a request that runs is not disturbed; a wrong one is refused', async () => {
    const issued = (
      await console({
        target: '/api/v1/accounts',
        method: 'POST',
        headers: [own, ['Content-Type', 'application/json']],
        body: '{"name":"A","plan":"pro"}',
      })
    ).body
    expect(issued.account.id).toMatch(/^acc/)
    const kept = connect({ port: consolePort, host: '127.0.0.1', ...tls })
    await once(kept, 'secureConnect')
    const shown = () =>
      new Promise<string>((resolve) => {
        const socket = connect({ port: server.gatewayPort, host: '127.0.0.1', ...tls }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
          socket.destroy()
        })
        socket.on('error', (error) => resolve(String(error)))
      })
    const before = await shown()

    const stranger = makeAuthority().issue({ names: ['localhost'] })
    writeFileSync(join(folder, 'tls.key'), stranger.key)
    await until('the wrong key is refused', () => logged('config.refused').length > 0)
    expect(logged('config.refused')[0]).toContain('listen.tls.certificates[0].key: is not the key of ./tls.pem')
    expect(await shown()).toBe(before)

    const second = authority.issue({ names: ['localhost'] })
    put(folder, 'tls', second)
    await until('the new pair is taken', () => logged('config.reloaded').length > 0)
    expect(await shown()).not.toBe(before)

    kept.write(`GET /api/v1/system HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${managementKey}\r\n\r\n`)
    const [head] = (await once(kept, 'data')) as [Buffer]
    expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 200/)
    kept.destroy()
    expect(server.output()).not.toContain('PRIVATE KEY')
  })
})
