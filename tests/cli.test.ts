import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { runCli } from '../packages/cli/src/cli.ts'
import { testIo } from '../packages/cli/src/testing/io.ts'
import { freePorts } from './support/ports.ts'
import { startServerProcess } from './support/process.ts'
import { managementKey, startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
apis:
  shop:
    address: shop.example
    upstream: UPSTREAM
    scopes: {orders.read: Read orders, orders.write: Write orders}
    routes:
      - {id: listOrders, methods: [GET], path: /v1/orders, scopes: {any: [orders.read]}}
      - {id: createOrder, methods: [POST], path: /v1/orders, scopes: {any: [orders.write]}}
plans:
  pro: {apis: [shop], kinds: [secret], scopes: ["*"]}
`

let server: TestServer
let folder: string
let project: string
let account: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  server = await startTestServer({ yaml })
  const made = json(await cli(['account', 'create', '--name', 'Acme', '--plan', 'pro', '--json', '--show-secret']))
  account = made.account.id
  project = made.project.id
})

afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function cli(args: readonly string[], more: Parameters<typeof testIo>[0] = {}): Promise<Ran> {
  const env = { POSTERN_URL: server.console, POSTERN_MANAGEMENT_KEY: managementKey, ...more.env }
  const io = { ...testIo({ cwd: folder, ...more, env }), now: Date.now, sleep: pause }
  const code = await runCli(io, args)
  return { code, out: io.printed.out(), err: io.printed.err() }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms))
}

function json({ code, out, err }: Ran) {
  expect({ code, err }).toMatchObject({ code: 0 })
  return JSON.parse(out)
}

async function newKey(...more: readonly string[]): Promise<{ id: string; value: string }> {
  const made = json(
    await cli([
      'key',
      'create',
      '--account',
      account,
      '--name',
      'CI',
      '--api',
      'shop',
      '--json',
      '--show-secret',
      ...more,
    ]),
  )
  return { id: made.credential.id, value: made.secret.value }
}

const request = ['--api', 'shop', '--path', '/v1/orders', '--key-env', 'KEY']

describe('a credential, from its making to its end', () => {
  it('is made, listed, shown, rotated, blocked, unblocked and revoked', async () => {
    const { id, value } = await newKey('--scope', 'orders.read')
    const decide = async (key: string) => (await cli(['verify', ...request], { env: { KEY: key } })).code
    expect(await decide(value)).toBe(0)

    expect(
      json(await cli(['key', 'list', '--account', account, '--json'])).map((each: { id: string }) => each.id),
    ).toContain(id)
    const shown = await cli(['key', 'show', id])
    expect(shown.out).toContain(`id\t${id}`)
    expect(shown.out + shown.err).not.toContain(value)

    const rotated = await cli([
      'key',
      'rotate',
      id,
      '--overlap',
      '1h',
      '--to',
      'env-file:.env',
      '--env-name',
      'SHOP_KEY',
    ])
    expect(rotated.code).toBe(0)
    const [, renewed = ''] = /^SHOP_KEY=(.+)$/m.exec(readFileSync(join(folder, '.env'), 'utf8')) ?? []
    expect(rotated.out).not.toContain(renewed)
    expect([await decide(value), await decide(renewed)]).toEqual([0, 0])

    expect((await cli(['key', 'block', id, '--reason', 'looked at'])).code).toBe(0)
    expect(await decide(renewed)).toBe(3)
    expect((await cli(['key', 'unblock', id])).code).toBe(0)
    expect(await decide(renewed)).toBe(0)

    expect((await cli(['key', 'revoke', id])).code).toBe(2)
    expect(await decide(renewed)).toBe(0)
    expect((await cli(['key', 'revoke', id, '--yes'])).code).toBe(0)
    expect(await decide(renewed)).toBe(3)
    expect((await cli(['key', 'revoke', id, '--yes'])).err).toContain('revoked already')
  })

  it('is changed, and what is not named stays', async () => {
    const { id } = await newKey('--scope', 'orders.read', '--ip', '203.0.113.0/24')
    const changed = json(
      await cli(['key', 'update', id, '--name', 'Nightly', '--any-ip', '--expires', '90d', '--json']),
    )
    expect(changed).toMatchObject({ name: 'Nightly', scopes: ['orders.read'], ip_allow: [] })
    expect(Date.parse(changed.expires_at) - Date.now()).toBeGreaterThan(89 * 86_400_000)
    const again = json(await cli(['key', 'update', id, '--no-scopes', '--expires', 'never', '--json']))
    expect(again).toMatchObject({ name: 'Nightly', scopes: [], expires_at: null })
    expect((await cli(['key', 'update', id])).code).toBe(2)
    expect((await cli(['key', 'update', id, '--ip', '203.0.113.7', '--any-ip'])).err).toContain('exclude each other')
  })

  it('cannot be shown again once its window is closed, and the message says what to do', async () => {
    const { id } = await newKey()
    const { code, err } = await cli(['key', 'reveal', id, '--show-secret'])
    expect(code).toBe(1)
    expect(err).toContain(`npx postern key rotate ${id}`)
  })

  it('ends as compromised with a reason', async () => {
    const { id } = await newKey()
    const done = json(await cli(['key', 'compromise', id, '--yes', '--reason', 'in a log', '--since', '1h', '--json']))
    expect(done.credential).toMatchObject({ state: 'compromised', state_reason: 'in a log' })
  })
})

describe('why', () => {
  it('is told for a described request, a curl line and standard input alike', async () => {
    const { value } = await newKey('--scope', 'orders.read')
    const env = { KEY: value }
    const line = `curl -X POST http://shop.example/v1/orders -H "Authorization: Bearer $KEY" -d '{}'`
    for (const ran of [
      await cli(['explain', ...request, '--method', 'POST'], { env }),
      await cli(['explain', '--curl', line], { env }),
      await cli(['explain', '--curl', '-'], { stdin: line.replace('$KEY', value) }),
    ]) {
      expect(ran.code).toBe(3)
      expect(ran.out).toMatch(/^denied {2}403 scope_missing {2}POST \/v1\/orders$/m)
      expect(ran.out).not.toContain(value)
    }
    const allowed = await cli(['explain', '--curl', line.replace('POST', 'GET')], { env })
    expect([allowed.code, allowed.out.split('  ')[0]]).toEqual([0, 'allowed'])
  })

  it('is told for the request that was refused last, and for its id', async () => {
    await cli(['verify', '--api', 'shop', '--path', '/v1/nothing', '--key-env', 'KEY'], {
      env: { KEY: (await newKey()).value },
    })
    const last = await cli(['explain', '--last'])
    expect([last.code, last.out]).toEqual([3, expect.stringContaining('404 route_unknown')])
    const id = /req_[0-9a-f]+/.exec(last.out)?.[0] ?? ''
    expect((await cli(['explain', id])).out).toBe(last.out)
    const [row] = json(await cli(['requests', '--code', 'route_unknown', '--json']))
    expect(row.id).toBe(id)
  })
})

function importLine(secret: string, more: object = {}): string {
  return JSON.stringify({ secret, name: `old ${secret}`, ...more })
}

function write(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  return name
}

async function importFile(file: string, ...more: readonly string[]): Promise<Ran> {
  return await cli(['key', 'import', file, '--project', project, '--api', 'shop', '--hash', '--json', ...more])
}

describe('import', () => {
  it('takes over what is good, skips what is in, and the old secrets work', async () => {
    const file = write(
      'good.jsonl',
      Array.from({ length: 1_500 }, (_, i) => importLine(`old-secret-${i}`, { scopes: ['orders.read'] })),
    )
    expect(json(await importFile(file, '--dry-run'))).toMatchObject({ dry_run: true, imported: 1_500, skipped: 0 })
    expect(
      json(
        await cli(['verify', ...request, '--json'], { env: { KEY: 'old-secret-7' } }).then((ran) => ({
          ...ran,
          code: 0,
        })),
      ),
    ).toMatchObject({
      allowed: false,
    })
    expect(json(await importFile(file))).toEqual({ dry_run: false, imported: 1_500, skipped: 0, refused: [] })
    expect(json(await importFile(file))).toEqual({ dry_run: false, imported: 0, skipped: 1_500, refused: [] })
    expect((await cli(['verify', ...request], { env: { KEY: 'old-secret-1499' } })).code).toBe(0)
  })

  it('stores nothing while a line is refused, and names it without its secret', async () => {
    const file = write('bad.jsonl', [
      importLine('bad-1'),
      '{"secret":"bad-2"',
      importLine('bad-3', { scopes: ['nope'] }),
      importLine('bad-4'),
    ])
    const refused = await importFile(file)
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('line 2: is not JSON')
    expect(refused.err).toMatch(/line 3: scopes\/0 is not a scope/)
    expect(refused.err).not.toMatch(/bad-[0-9]/)
    expect((await cli(['verify', ...request], { env: { KEY: 'bad-1' } })).code).toBe(3)
    expect(json(await importFile(file, '--partial'))).toMatchObject({ imported: 2, skipped: 0 })
  })

  it('takes digests from CSV', async () => {
    const digest = createHash('sha256').update('csv-secret').digest('base64')
    const file = write('keys.csv', ['digest,name,scopes', `${digest},"From, CSV",orders.read orders.write`])
    const done = await cli(['key', 'import', file, '--project', project, '--api', 'shop', '--json'])
    expect(json(done)).toMatchObject({ imported: 1 })
    expect((await cli(['verify', ...request, '--method', 'POST'], { env: { KEY: 'csv-secret' } })).code).toBe(0)
  })
})

describe('looking', () => {
  it('shows what is declared: APIs, their routes, plans', async () => {
    expect((await cli(['api', 'list'])).out).toMatch(/^shop\tgeneric\t/m)
    expect((await cli(['api', 'show', 'shop'])).out).toMatch(/^scope orders\.read\t/m)
    expect((await cli(['api', 'routes', 'shop'])).out).toMatch(/^\S+\tGET\t\/v1\/orders/m)
    expect((await cli(['api', 'show', 'nowhere'])).code).toBe(1)
    expect((await cli(['plan', 'list'])).out).toMatch(/^pro\tshop/m)
    expect(json(await cli(['plan', 'show', 'pro', '--json']))).toMatchObject({ id: 'pro', apis: ['shop'] })
  })

  it('tells who asks, usage, events and that the audit log is whole', async () => {
    expect((await cli(['whoami'])).out).toContain('operator: sees every account')
    await pause(1_500)
    expect(
      json(await cli(['usage', '--from', '1h', '--step', 'minute', '--by', 'api,outcome', '--json'])).data.length,
    ).toBeGreaterThan(0)
    const actions = json(await cli(['events', '--limit', '5000', '--json'])).map(
      (each: { action: string }) => each.action,
    )
    expect(actions).toEqual(expect.arrayContaining(['account.created', 'secret.rotated', 'credential.revoked']))
    expect((await cli(['audit', 'verify'])).out).toMatch(/^intact {2}/)
  })

  it('finds a healthy server healthy', async () => {
    const { out, err } = await cli(['doctor'])
    expect({ failed: /^FAIL.*$/m.exec(out)?.[0] ?? null, err }).toEqual({ failed: null, err: '' })
    expect(out).toContain('rate limits')
  })

  it('says of a server that is gone that it is gone', async () => {
    const { code, out } = await cli(['doctor'], { env: { POSTERN_URL: 'http://127.0.0.1:1' } })
    expect([code, out]).toEqual([1, expect.stringContaining('FAIL\tserver')])
  })
})

describe('backup', () => {
  it('lies in the folder that was asked for, and never overwrites one', async () => {
    const done = await cli(['backup', '--to', 'copy', '--json'])
    expect(json(done)).toEqual({ folder: join(folder, 'copy') })
    expect(existsSync(join(folder, 'copy', 'manifest.json'))).toBe(true)
    expect((await cli(['backup', '--to', 'copy'])).code).toBe(2)
  })
})

describe('restore', () => {
  it('revives nothing that was revoked since, and needs the server stopped', async () => {
    const own = await startServerProcess({ yaml: yaml.replaceAll('UPSTREAM', server.upstream.url) })
    const here = { cwd: own.folder, env: { POSTERN_URL: own.console } }
    try {
      const made = json(
        await cli(['account', 'create', '--name', 'Acme', '--plan', 'pro', '--json', '--show-secret'], here),
      )
      const create = [
        'key',
        'create',
        '--account',
        made.account.id,
        '--name',
        'CI',
        '--api',
        'shop',
        '--json',
        '--show-secret',
      ]
      const { credential } = json(await cli(create, here))
      expect((await cli(['backup', '--to', 'copy'], here)).code).toBe(0)
      expect((await cli(['key', 'revoke', credential.id, '--yes'], here)).code).toBe(0)
      const running = await cli(['restore', 'copy', '--yes'], here)
      expect([running.code, running.err]).toEqual([1, expect.stringContaining(`process ${own.pid}`)])
      await own.stop()
      expect(await cli(['restore', 'copy'], here)).toMatchObject({ code: 2 })
      expect(json(await cli(['restore', 'copy', '--yes', '--json'], here))).toMatchObject({ applied: 1 })
      const audited = await cli(['audit', 'verify', '--data', 'data'], here)
      expect(audited.out).toMatch(/^(intact|rolled back) {2}/)
    } finally {
      await own.stop()
      own.remove()
    }
  })

  it('refuses a folder that is no backup', async () => {
    expect((await cli(['restore', '.', '--yes'])).err).toContain('manifest.json')
  })
})

describe('without a server', () => {
  it('init writes a configuration that passes the check, and overwrites nothing', async () => {
    const here = mkdtempSync(join(folder, 'init-'))
    expect((await cli(['init'], { cwd: here })).code).toBe(0)
    expect((await cli(['config', 'check'], { cwd: here })).code).toBe(0)
    writeFileSync(join(here, 'postern.yaml'), 'version: 1\nbrand: acme\nlsten: {}\n')
    expect((await cli(['init'], { cwd: here })).code).toBe(1)
    expect(readFileSync(join(here, 'postern.yaml'), 'utf8')).toContain('lsten')
    const checked = await cli(['config', 'check'], { cwd: here })
    expect(checked.code).toBe(1)
    expect(checked.out).toMatch(/postern\.yaml:3:1 {2}lsten: .*did you mean "listen"/)
  })

  it('config check tells where routes and the OpenAPI document differ, and fails on it with --strict', async () => {
    const here = mkdtempSync(join(folder, 'drift-'))
    writeFileSync(join(here, 'shop.yaml'), 'openapi: 3.1.0\npaths: {/a: {get: {operationId: a}}}\n')
    writeFileSync(
      join(here, 'postern.yaml'),
      'version: 1\nbrand: acme\napis:\n  shop:\n    address: shop.test\n    upstream: http://127.0.0.1:1\n    openapi: ./shop.yaml\n    routes: [{id: a, path: /b}]\n',
    )
    const told = await cli(['config', 'check'], { cwd: here })
    expect(told.code).toBe(0)
    expect(told.err).toContain('differs from the OpenAPI document, where it is /a')
    expect((await cli(['config', 'check', '--strict'], { cwd: here })).code).toBe(1)
  })

  it('npm start runs postern.yaml where there is one, and keeps the first key out of logs', async () => {
    const here = mkdtempSync(join(folder, 'npm-start-'))
    const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
    const listen = `{gateway: "127.0.0.1:${gateway}", console: "127.0.0.1:${console}", ops: "127.0.0.1:${ops}"}`
    writeFileSync(join(here, 'postern.yaml'), `version: 1\nbrand: acme\nlisten: ${listen}\n`)
    const { POSTERN_MANAGEMENT_KEY: _, ...env } = process.env
    const entry = join(import.meta.dirname, '../packages/cli/src/npm-start.ts')
    const child = spawn(process.execPath, [entry], { cwd: here, env })
    let written = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (written += text))
    const ended = new Promise((done) => child.once('exit', done))
    await until(`it runs: ${written}`, () => written.includes('The first management key is in'), 30_000)
    const key = readFileSync(join(here, 'data', 'management.key'), 'utf8').trim()
    expect(written).not.toContain(key)
    const asked = testIo({ cwd: here, env: { POSTERN_URL: `http://127.0.0.1:${console}` } })
    expect(await runCli(asked, ['whoami'])).toBe(0)
    child.kill('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('start names init and dev where there is no configuration', async () => {
    const here = mkdtempSync(join(folder, 'start-'))
    const { code, err } = await cli(['start'], { cwd: here })
    expect(code).toBe(1)
    expect(err).toMatch(/npx postern init.*npx postern dev/)
  })
})
