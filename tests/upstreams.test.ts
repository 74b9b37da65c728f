import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { makeAuthority, type Issued } from './support/certificates.ts'
import { bearer, issue, makeAccount } from './support/issue.ts'
import { freePorts } from './support/ports.ts'
import { request, type RawAnswer } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const ours = makeAuthority()
const theirs = makeAuthority()

let folder: string
let server: TestServer
let secret: string

/** The API `shop` in front of the upstream, as YAML says it. */
const yamlOf = (upstream: string) => `
apis:
  shop: {address: shop.test, upstream: ${upstream}, timeouts: {connect: 2s}}
plans: {pro: {apis: [shop], kinds: [secret]}}
`

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-upstreams-'))
  server = await startTestServer({ yaml: yamlOf('UPSTREAM') })
  const account = await makeAccount(server.api, 'pro')
  secret = (await issue(server.api, account.project, { scopes: [] })).value
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

function put(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  return path
}

async function use(upstream: string): Promise<void> {
  const outcome = await server.reload(yamlOf(upstream))
  if (!outcome.ok) throw new Error(outcome.error.join('\n'))
}

async function ask(method = 'GET'): Promise<{ readonly status: number; readonly body: RawAnswer['body'] }> {
  const answer = await request(server.gatewayPort, { method, headers: [bearer(secret)] })
  return { status: answer.status, body: answer.body }
}

/** The last line of the log about that event. */
const logged = (event: string) =>
  server.logged.filter((line) => line.includes(`"event":"${event}"`)).map((line) => JSON.parse(line))

async function metric(name: string): Promise<readonly string[]> {
  const text = await (await fetch(`${server.ops}/metrics`)).text()
  return text.split('\n').filter((line) => line.startsWith(name))
}

describe('an upstream that speaks TLS', () => {
  /** Answers with the common name of the client's certificate. */
  async function tlsUpstream(issued: Issued, clientAuthority?: string): Promise<number> {
    const options = clientAuthority === undefined ? {} : { ca: clientAuthority, requestCert: true }
    const upstream: Server = createServer({ ...issued, ...options, rejectUnauthorized: clientAuthority !== undefined })
    upstream.on('request', (req, res) => {
      const { subject } = (req.socket as TLSSocket).getPeerCertificate()
      res.setHeader('Content-Type', 'application/json')
      res.end(JSON.stringify({ client: subject?.CN ?? null, host: req.headers.host }))
    })
    upstream.on('tlsClientError', () => {})
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    onTestFinished(() => {
      upstream.close()
      upstream.closeAllConnections()
    })
    return (upstream.address() as AddressInfo).port
  }
  const tls = (port: number, more: string) => `{targets: ["https://localhost:${port}"], tls: {${more}}}`

  it('is trusted by its own authority alone', async () => {
    const port = await tlsUpstream(ours.issue({ names: ['localhost'] }))
    await use(tls(port, `ca: ${put('ours.pem', ours.cert)}`))
    expect(await ask()).toEqual({ status: 200, body: { client: null, host: `localhost:${port}` } })
    // Several in one file: the first need not be the one.
    await use(tls(port, `ca: ${put('both.pem', theirs.cert + ours.cert)}`))
    expect((await ask()).status).toBe(200)
  })

  it('is checked by the name that is declared, and by an address where that is what is declared', async () => {
    const named = await tlsUpstream(ours.issue({ names: ['shop.internal'] }))
    await use(tls(named, `ca: ${put('ours.pem', ours.cert)}, server_name: shop.internal`))
    expect((await ask()).status).toBe(200)
    const numbered = await tlsUpstream(ours.issue({ names: ['127.0.0.1'] }))
    await use(`{targets: ["https://127.0.0.1:${numbered}"], tls: {ca: ${put('ours.pem', ours.cert)}}}`)
    expect((await ask()).status).toBe(200)
  })

  it.each([
    {
      wrong: 'another authority',
      issued: theirs.issue({ names: ['localhost'] }),
      why: 'unable to verify the first certificate',
    },
    {
      wrong: 'another name',
      issued: ours.issue({ names: ['other.test'] }),
      why: "not in the cert's altnames: DNS:other.test",
    },
    {
      wrong: 'its end',
      issued: ours.issue({ names: ['localhost'], notBefore: new Date(0), notAfter: new Date(1_000) }),
      why: 'certificate has expired',
    },
    {
      wrong: 'client use only',
      issued: ours.issue({ names: ['localhost'], client: true }),
      why: 'unsuitable certificate purpose',
    },
  ])('with a certificate of $wrong is not spoken to: 502, and the log says why', async ({ issued, why }) => {
    const port = await tlsUpstream(issued)
    await use(tls(port, `ca: ${put('ours.pem', ours.cert)}`))
    const { status, body } = await ask('POST')
    expect([status, body.code]).toEqual([502, 'upstream_unreachable'])
    expect(logged('gateway.upstream_failed').at(-1)).toMatchObject({
      requestId: body.request_id,
      api: 'shop',
      target: `https://localhost:${port}`,
      why: expect.stringContaining(`no connection to the upstream could be made: `),
    })
    expect(logged('gateway.upstream_failed').at(-1).why).toContain(why)
  })

  it('is not trusted without its authority, whatever the environment says', async () => {
    const port = await tlsUpstream(ours.issue({ names: ['localhost'] }))
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    onTestFinished(() => void delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'])
    await use(`https://localhost:${port}`)
    expect((await ask()).status).toBe(502)
  })

  it('is shown a certificate of our own where it wants one, and refuses us without', async () => {
    const client = ours.issue({ names: ['gateway.internal'], client: true })
    const port = await tlsUpstream(ours.issue({ names: ['localhost'] }), ours.cert)
    const pair = `cert: ${put('client.pem', client.cert)}, key: ${put('client.key', client.key)}`
    await use(tls(port, `ca: ${put('ours.pem', ours.cert)}, ${pair}`))
    expect((await ask()).body.client).toBe('gateway.internal')
    await use(tls(port, `ca: ${put('ours.pem', ours.cert)}`))
    expect((await ask()).status).toBe(502)
    const foreign = theirs.issue({ names: ['gateway.internal'], client: true })
    const wrong = `cert: ${put('foreign.pem', foreign.cert)}, key: ${put('foreign.key', foreign.key)}`
    await use(tls(port, `ca: ${put('ours.pem', ours.cert)}, ${wrong}`))
    expect((await ask()).status).toBe(502)
  })

  it('is shown a new certificate once the file has changed; with a file that does not fit the old one stays', async () => {
    const [first, second] = ['first', 'second'].map((name) => ours.issue({ names: [name], client: true }))
    if (first === undefined || second === undefined) throw new Error('two')
    const port = await tlsUpstream(ours.issue({ names: ['localhost'] }), ours.cert)
    const upstream = () =>
      tls(port, `ca: ${put('ours.pem', ours.cert)}, cert: ${join(folder, 'me.pem')}, key: ${join(folder, 'me.key')}`)
    put('me.pem', first.cert)
    put('me.key', first.key)
    await use(upstream())
    expect((await ask()).body.client).toBe('first')
    put('me.pem', second.cert)
    await expect(use(upstream())).rejects.toThrow(/upstream\.tls\.key: is not the key of/)
    expect((await ask()).body.client).toBe('first')
    put('me.key', second.key)
    await use(upstream())
    expect((await ask()).body.client).toBe('second')
  })
})

describe('targets that are processes', () => {
  const program = `
    const http = require('node:http')
    const name = process.argv[1]
    http.createServer((req, res) => req.resume().on('end', () => res.end(JSON.stringify({ name }))))
      .listen(Number(process.argv[2]), '127.0.0.1', () => process.send('up'))`

  async function start(name: string, port: number): Promise<ChildProcess> {
    const child = spawn(process.execPath, ['-e', program, name, String(port)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    await once(child, 'message')
    return child
  }

  async function kill(child: ChildProcess): Promise<void> {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  it('die and come back: no request fails, and log, metrics and /system tell', async () => {
    const [a = 0, b = 0] = await freePorts(2)
    const first = await start('a', a)
    await start('b', b)
    const targets = `["http://127.0.0.1:${a}", {url: "http://127.0.0.1:${b}", weight: 2}]`
    await use(
      `{targets: ${targets}, passive: {failures: 2, eject: 1h}, health: {path: /, interval: 100ms, timeout: 1s, unhealthy_after: 1, healthy_after: 1}}`,
    )
    const names = async (count: number) => {
      const seen: string[] = []
      for (let i = 0; i < count; i++) seen.push((await ask()).body.name)
      return seen.toSorted().join('')
    }
    expect(await names(6)).toBe('aabbbb')
    await kill(first)
    expect(await names(12)).toBe('b'.repeat(12))
    await until('a check has found out', () => logged('upstream.target_down').length === 1)
    expect(logged('upstream.target_down')[0]).toEqual({
      event: 'upstream.target_down',
      upstream: 'shop',
      target: `http://127.0.0.1:${a}`,
      alone: false,
      why: expect.stringContaining('ECONNREFUSED'),
    })
    expect(await metric('postern_upstream_target_up{')).toEqual([
      `postern_upstream_target_up{upstream="shop",target="http://127.0.0.1:${a}"} 0`,
      `postern_upstream_target_up{upstream="shop",target="http://127.0.0.1:${b}"} 1`,
    ])
    const { body } = await server.api('GET', '/system')
    expect(body.targets).toEqual([
      { upstream: 'shop', target: `http://127.0.0.1:${a}`, state: 'down' },
      { upstream: 'shop', target: `http://127.0.0.1:${b}`, state: 'up' },
    ])
    await start('a', a)
    await until('a check has found it well', () => logged('upstream.target_up').length === 1)
    expect(await names(6)).toContain('a')
  })
})
