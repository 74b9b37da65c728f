import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
    [['kye', 'list'], 'Did you mean key?'],
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

  it('answers 0 and help on standard output where it is asked for', async () => {
    const at = io()
    expect(await runCli(at, ['--help'])).toBe(0)
    expect(at.printed.out()).toContain('Exit codes:')
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

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish'])('for %s knows commands, subcommands and options', async (shell) => {
    const at = io()
    expect(await runCli(at, ['completion', shell])).toBe(0)
    for (const word of ['key', 'rotate', 'overlap', 'verify', 'json']) expect(at.printed.out()).toContain(word)
  })
})
