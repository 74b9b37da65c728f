import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { runCli } from './cli.ts'
import { testIo } from './testing/io.ts'
import { standIn, type Heard, type StandIn } from './testing/stand-in.ts'

const secret = `acme_sk_live_0123456789ab${'s'.repeat(32)}000000`
const credential = {
  id: 'cred_0123456789ab',
  public_id: '0123456789ab',
  client_id: null,
  form: 'key',
  kind: 'secret',
  account: 'acc_1',
  project: 'prj_1',
  apis: ['shop'],
  name: 'CI',
  scopes: [],
  role: null,
  ip_allow: [],
  origin_allow: null,
  limits: [],
  oauth: null,
  not_before: null,
  expires_at: null,
  state: 'active',
  state_reason: null,
  state_at: null,
  blocked_until: null,
  primary: true,
  exposed_at: null,
  metadata: {},
  created_by: 'cred_m',
  created_at: '2026-01-01T00:00:00.000Z',
  version: 1,
}
const issued = { credential, secret: { id: 'sec_1', value: secret, visible_until: null, hint: 'aaaa' } }
const create = ['key', 'create', '--account', 'acc_1', '--name', 'CI', '--api', 'shop']

let folder: string
let server: StandIn
let answer: (call: Heard) => { readonly status: number; readonly body: unknown }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  answer = () => ({ status: 200, body: {} })
  server = await standIn((call) => answer(call))
})

afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const io = (more: Parameters<typeof testIo>[0] = {}) =>
  testIo({
    cwd: folder,
    ...more,
    env: { POSTERN_URL: server.url, POSTERN_MANAGEMENT_KEY: 'the-management-key', ...more.env },
  })

describe('arguments', () => {
  it.each([
    [['key', 'list', '--search', secret]],
    [['verify', '--api', 'shop', secret]],
    [['explain', '--curl', `curl -H "Authorization: Bearer ${secret}" https://x`]],
    [['explain', '--api', 'shop', '--header', 'X-App-Token: 3f0d5bd6-7b3a-4a62-8a5c-3a2f4b3a9d10']],
  ])('refuses a credential among them before anything is sent: %#', async (args) => {
    const at = io()
    expect(await runCli(at, args)).toBe(2)
    expect(at.printed.err()).toContain('rotate')
    expect(at.printed.err()).not.toContain(secret)
    expect(server.heard).toEqual([])
  })

  it.each([
    [['kye', 'list'], 'why    Did you mean key?\nnext   npx postern --help'],
    [['key', 'creat'], 'next   npx postern key --help'],
    [['key'], 'why    It takes list, show, reveal'],
    [['usage', '--step', 'week'], 'next   npx postern usage --help'],
    [['account', 'update', 'acc_1'], 'It takes --name, --plan or both.'],
    [['project', 'update', 'prj_1'], 'It takes --name, --region, and --ip or --any-ip.'],
    [['key', 'create'], "required option '--name <name>'"],
    [['key', 'list', '--limit', 'many'], 'whole number'],
    [['dev', '--port-base', '80'], 'whole number from 1024'],
  ])('answers 2 and what to type for %j', async (args, text) => {
    const at = io()
    expect(await runCli(at, args)).toBe(2)
    expect(at.printed.err()).toContain(text)
    expect(at.printed.err()).toMatch(/^next {3}npx postern/m)
    expect(at.printed.out()).toBe('')
  })

  it('names the option whose value has no name', async () => {
    const at = io()
    expect(await runCli(at, [...create, '--show-secret', '--metadata', 'billing'])).toBe(2)
    expect(at.printed.err()).toContain('--metadata is not name=value')
    expect(server.heard).toEqual([])
  })

  it('answers 0 and help on standard output where it is asked for', async () => {
    const at = io()
    expect(await runCli(at, ['--help'])).toBe(0)
    expect(at.printed.out()).toContain('Exit codes:')
  })
})

describe('help', () => {
  it('says which options are required, and which every command takes', async () => {
    const at = io()
    expect(await runCli(at, ['account', 'create', '--help'])).toBe(0)
    expect(at.printed.out()).toMatch(/--plan <plan> .*\(required\)/)
    expect(at.printed.out()).toMatch(/Global Options:[^]*--json/)
  })
})

describe('exit codes', () => {
  it('is 4 without a management key', async () => {
    const at = testIo({ cwd: folder, env: { POSTERN_URL: server.url } })
    expect(await runCli(at, ['key', 'list'])).toBe(4)
    expect(at.printed.err()).toContain('export POSTERN_MANAGEMENT_KEY=')
  })

  it.each([
    [401, 'credential_unknown', 4],
    [403, 'permission_missing', 4],
    [404, 'not_found', 1],
    [503, 'store_unavailable', 1],
  ])('follows the answer %i %s', async (status, code, expected) => {
    answer = () => ({
      status,
      body: { type: 'https://x/docs/errors/a', title: 'Title', status, detail: 'Detail.', code, request_id: 'req_1' },
    })
    const at = io()
    expect(await runCli(at, ['key', 'list'])).toBe(expected)
    const lines = at.printed.err().split('\n')
    expect(lines.map((line) => line.slice(0, 5).trim())).toEqual(['error', 'why', 'next', 'id', 'docs', ''])
    expect(lines[0]).toContain(`Title (${status} ${code})`)
    expect(lines[3]).toContain('req_1')
  })

  it('names faults by option, and what shows the things that are there', async () => {
    const errors = [
      { path: '/apis/0', message: 'is not a declared API' },
      { path: '/scopes/1', message: 'is not a scope' },
      { path: '', message: 'too much' },
    ]
    answer = () => ({
      status: 422,
      body: { title: 'T', status: 422, detail: 'D. `errors` names it.', code: 'x', errors },
    })
    const at = io()
    await runCli(at, [...create, '--show-secret'])
    expect(at.printed.err()).toContain('why    --api: is not a declared API; --scope (2): is not a scope; too much.\n')
  })

  it.each([
    [['account', 'show', 'acc_1'], 'npx postern account list'],
    [['project', 'show', 'prj_1'], 'npx postern project list'],
    [['key', 'show', 'cred_1'], 'npx postern key list'],
    [['explain', 'req_1'], 'npx postern requests'],
  ])('leads from what was not found to its list: %j', async (args, next) => {
    answer = () => ({ status: 404, body: { title: 'Not found', status: 404, detail: 'Nothing.', code: 'not_found' } })
    const at = io()
    expect(await runCli(at, args)).toBe(1)
    expect(at.printed.err()).toContain(`next   ${next}\n`)
  })

  it('is 5 where nothing listens', async () => {
    const at = io({ env: { POSTERN_URL: 'http://127.0.0.1:1' } })
    expect(await runCli(at, ['key', 'list'])).toBe(5)
  })

  it('is 3 where the answer is no', async () => {
    const trace = [{ step: 'scope', outcome: 'fail', compared: 'required scope not held', code: 'scope_missing' }]
    answer = () => ({
      status: 200,
      body: { allowed: false, code: 'scope_missing', status: 403, trace, principal: null, headers: {} },
    })
    const at = io()
    expect(await runCli(at, ['explain', 'req_1'])).toBe(3)
    expect(at.printed.out()).toContain('denied  403 scope_missing')
    expect(at.printed.out()).toContain('FAIL  scope')
    expect(at.printed.out()).toContain('why   The credential does not carry the permission')
  })
})

describe('the server', () => {
  it('is where postern.yaml of the working directory puts it, with the key of its data folder', async () => {
    answer = () => ({ status: 200, body: { data: [], next_cursor: null } })
    const yaml = `listen: {console: "\${AT}:${new URL(server.url).port}"}\ndata: ./elsewhere\n`
    writeFileSync(join(folder, 'postern.yaml'), yaml)
    mkdirSync(join(folder, 'elsewhere'))
    writeFileSync(join(folder, 'elsewhere', 'management.key'), 'declared\n')
    const at = testIo({ cwd: folder, env: { AT: '0.0.0.0' } })
    expect(await runCli(at, ['key', 'list'])).toBe(0)
    expect(server.heard[0]?.headers.authorization).toBe('Bearer declared')
  })

  it('gets the key of its own data folder where two lie here', async () => {
    answer = () => ({ status: 200, body: { data: [], next_cursor: null } })
    for (const data of ['data', join('.postern', 'data')]) {
      mkdirSync(join(folder, data), { recursive: true })
      writeFileSync(join(folder, data, 'management.key'), `of ${data}\n`)
    }
    const lock = { pid: 1, host: 'here', started: 0, addresses: ['127.0.0.1:1', new URL(server.url).host] }
    writeFileSync(join(folder, '.postern', 'data', 'lock.json'), JSON.stringify(lock))
    const at = testIo({ cwd: folder, env: { POSTERN_URL: server.url } })
    expect(await runCli(at, ['key', 'list'])).toBe(0)
    expect(server.heard[0]?.headers.authorization).toBe(`Bearer of ${join('.postern', 'data')}`)
  })

  it('is refused where something else answers', async () => {
    const other = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1')
    await once(other, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a listening TCP server has an address of this form
    const { port } = other.address() as AddressInfo
    const at = io({ env: { POSTERN_URL: `http://127.0.0.1:${port}` } })
    expect(await runCli(at, ['whoami'])).toBe(1)
    expect(at.printed.err()).toContain('is not the console of Postern')
    other.close()
  })
})

describe('the management key', () => {
  it('comes from the data folder where the environment has none', async () => {
    answer = () => ({ status: 200, body: { data: [], next_cursor: null } })
    mkdirSync(join(folder, '.postern', 'data'), { recursive: true })
    writeFileSync(join(folder, '.postern', 'data', 'management.key'), 'from-the-file\n')
    const at = testIo({ cwd: folder, env: { POSTERN_URL: server.url } })
    expect(await runCli(at, ['key', 'list'])).toBe(0)
    expect(server.heard[0]?.headers.authorization).toBe('Bearer from-the-file')
  })

  it('is not sent over plain HTTP to another machine', async () => {
    const at = io({ env: { POSTERN_URL: 'http://console.example' } })
    expect(await runCli(at, ['key', 'list'])).toBe(2)
    expect(at.printed.err()).toContain('https://console.example')
  })

  it('is cut from what --verbose shows, like every secret', async () => {
    answer = () => ({ status: 201, body: issued })
    const at = io({ tty: true })
    expect(await runCli(at, [...create, '--verbose'])).toBe(0)
    expect(at.printed.err()).toContain('> POST ')
    expect(at.printed.err()).not.toContain('the-management-key')
    expect(at.printed.err()).not.toContain(secret)
  })
})

describe('a new secret', () => {
  it('is printed once to a terminal', async () => {
    answer = () => ({ status: 201, body: issued })
    const at = io({ tty: true })
    expect(await runCli(at, create)).toBe(0)
    expect(at.printed.out().split(secret)).toHaveLength(2)
    expect(at.printed.err()).not.toContain(secret)
  })

  it('is not even made where it would go into a pipe unasked', async () => {
    const at = io()
    expect(await runCli(at, create)).toBe(2)
    expect(at.printed.err()).toContain('--show-secret')
    expect(server.heard).toEqual([])
  })

  it.each(['env-file:nowhere/.env', 'env-file:.', 'env-file:taken/.env'])(
    'is not even made where it could not be written: %s',
    async (target) => {
      writeFileSync(join(folder, 'taken'), '')
      const at = io()
      expect(await runCli(at, [...create, '--to', target])).toBe(2)
      expect(at.printed.err()).toContain('cannot be written')
      expect(server.heard).toEqual([])
    },
  )

  it('goes into a pipe with --show-secret, as JSON where asked', async () => {
    answer = () => ({ status: 201, body: issued })
    const at = io()
    expect(await runCli(at, [...create, '--show-secret', '--json'])).toBe(0)
    expect(JSON.parse(at.printed.out())).toEqual(issued)
  })

  it('goes into a file of variables, for the owner alone, and is not printed', async () => {
    answer = () => ({ status: 201, body: issued })
    writeFileSync(join(folder, '.env'), 'OTHER=1\nAPI_KEY=old\n', { mode: 0o600 })
    const at = io()
    expect(await runCli(at, [...create, '--to', 'env-file:.env', '--json'])).toBe(0)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(`OTHER=1\nAPI_KEY=${secret}\n`)
    expect(at.printed.out() + at.printed.err()).not.toContain(secret)
  })
})

describe('destructive commands', () => {
  const revoke = ['key', 'revoke', 'cred_0123456789ab']

  it('ask for the name on a terminal and do nothing where it differs', async () => {
    answer = () => ({ status: 200, body: { ...credential, secrets: [], observed_through: null } })
    const at = io({ tty: true, answers: ['no'] })
    expect(await runCli(at, revoke)).toBe(1)
    expect(server.heard.map(({ method }) => method)).toEqual(['GET'])
  })

  it('need --yes where nobody can be asked', async () => {
    answer = () => ({ status: 200, body: { ...credential, secrets: [], observed_through: null } })
    expect(await runCli(io(), revoke)).toBe(2)
    expect(server.heard.map(({ method }) => method)).toEqual(['GET'])
  })

  it('are done where that is so already', async () => {
    answer = () => ({ status: 200, body: { ...credential, state: 'revoked', secrets: [], observed_through: null } })
    const at = io()
    expect(await runCli(at, [...revoke, '--yes'])).toBe(0)
    expect(at.printed.err()).toContain('revoked already')
    expect(server.heard.map(({ method }) => method)).toEqual(['GET'])
  })
})

describe('lists', () => {
  it('follow the pages up to the limit', async () => {
    answer = ({ path }) => {
      const query = new URL(path, server.url).searchParams
      const from = Number(query.get('cursor') ?? 0)
      const size = Number(query.get('limit'))
      const data = Array.from({ length: size }, (_, i) => ({ ...credential, id: `cred_${from + i}` }))
      return { status: 200, body: { data, next_cursor: String(from + size) } }
    }
    const at = io()
    expect(await runCli(at, ['key', 'list', '--limit', '130', '--json'])).toBe(0)
    expect(JSON.parse(at.printed.out())).toHaveLength(130)
    expect(server.heard.map(({ path }) => new URL(path, server.url).searchParams.get('limit'))).toEqual(['100', '30'])
  })

  it('are cells between tabs for programs, with times in full', async () => {
    answer = () => ({ status: 200, body: { data: [credential], next_cursor: null } })
    const at = io()
    expect(await runCli(at, ['key', 'list'])).toBe(0)
    expect(at.printed.out()).toBe(
      'ID\tSTATE\tKIND\tAPIS\tEXPIRES\tCREATED\tNAME\ncred_0123456789ab\tactive\tsecret\tshop\t\t2026-01-01T00:00:00.000Z\tCI\n',
    )
  })
})

describe('requests', () => {
  it('say who took each of them, and nothing where the log does not know', async () => {
    const row = { at: credential.created_at, status: 200, code: null, api: 'shop', credential: null, ip: '::1' }
    const rows = ['forward_auth', null].map((via) => {
      return { ...row, id: 'req_1', via, latency_ms: 1, method: 'GET', path: '/v1' }
    })
    answer = () => ({ status: 200, body: { data: rows, next_cursor: null } })
    const at = io()
    expect(await runCli(at, ['requests'])).toBe(0)
    const start = '2026-01-01T00:00:00.000Z\t200\t\t'
    const end = '\tshop\t-\t\t::1\t1.0\treq_1\tGET /v1\n'
    expect(at.printed.out()).toBe(
      `AT\tSTATUS\tCODE\tVIA\tAPI\tCREDENTIAL\tLABEL\tFROM\tMS\tID\tREQUEST\n${start}forward_auth${end}${start}${end}`,
    )
  })
})

describe('requests --follow', () => {
  it.each([
    [[], ['GET /v1/orders']],
    [
      ['--api', 'postern'],
      ['GET /api/v1/requests', 'GET /v1/orders'],
    ],
  ])('shows its own calls only where they are asked for: %j', async (more, expected) => {
    const row = { at: credential.created_at, status: 200, code: null, credential: null, ip: '::1', latency_ms: 1 }
    const rows = [
      { ...row, id: 'req_2', api: 'shop', method: 'GET', path: '/v1/orders' },
      { ...row, id: 'req_1', api: 'postern', method: 'GET', path: '/api/v1/requests' },
    ]
    answer = () => ({ status: 200, body: { data: rows, next_cursor: null } })
    let end: () => void = () => undefined
    const at = {
      ...io(),
      onEnd: (ended: (signal: 'SIGINT') => void) => void (end = () => ended('SIGINT')),
      sleep: async () => await Promise.resolve(end()),
    }
    expect(await runCli(at, ['requests', '--follow', ...more])).toBe(130)
    const lines = at.printed.out().trimEnd().split('\n').slice(1)
    expect(lines.map((line) => line.split('\t').at(-1))).toEqual(expected)
  })
})

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows commands, subcommands and options', async (shell) => {
    const at = io()
    expect(await runCli(at, ['completion', shell])).toBe(0)
    for (const word of ['key', 'rotate', 'overlap', 'verify', 'json']) expect(at.printed.out()).toContain(word)
  })
})
