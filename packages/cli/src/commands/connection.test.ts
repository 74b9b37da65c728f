import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { runCli } from '../cli.ts'
import { testIo } from '../testing/io.ts'
import { standIn, type Heard, type StandIn } from '../testing/stand-in.ts'

const secret = 'the-key-of-braze-0123456789'
const braze = {
  id: 'braze',
  name: 'Braze',
  fields: [
    { name: 'endpoint', label: 'Endpoint', secret: false, required: true, expects: 'a host', example: 'x' },
    { name: 'api_key', label: 'Key', secret: true, required: true, expects: 'a key', example: 'x' },
  ],
  injectable: true,
  checkable: true,
  check_note: 'The call needs the permission campaigns.list.',
  rotation: { how: 'Make a second key.', overlap: true },
  sources: [],
}
const connection = {
  id: 'conn_1',
  account: 'postern',
  project: null,
  platform: 'braze',
  name: 'main',
  injectable: true,
  settings: { endpoint: 'rest.iad-01.braze.com' },
  secrets: [{ field: 'api_key', hint: '6789', fingerprint: '0011223344556677' }],
  state: 'active',
  state_reason: null,
  last_check: null,
  last_used_at: null,
  created_by: 'POSTERN_MANAGEMENT_KEY',
  created_at: '2026-01-01T00:00:00.000Z',
  updated_at: '2026-01-01T00:00:00.000Z',
  rotated_at: null,
  version: 1,
}
const changed = { connection, sequence: 9, effective_everywhere_by: '2026-01-01T00:00:30.000Z' }

let folder: string
let server: StandIn
let checkOk = true

function answerOf({ method, path }: Heard): unknown {
  if (path.startsWith('/api/v1/platforms/')) return braze
  if (path.startsWith('/api/v1/platforms')) return { data: [braze], next_cursor: null }
  if (path.endsWith('/reveal'))
    return { id: 'conn_1', platform: 'braze', settings: {}, secrets: { api_key: secret }, version: 1 }
  if (path.endsWith('/check')) {
    const [reason, status] = checkOk ? (['ok', 200] as const) : (['credential_refused', 401] as const)
    return { at: '2026-01-01T00:00:00.000Z', ok: checkOk, reason, status, detail: 'A sentence.' }
  }
  if (method === 'GET' && path.startsWith('/api/v1/connections?')) return { data: [connection], next_cursor: null }
  return method === 'GET' || method === 'PATCH' ? connection : changed
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  checkOk = true
  server = await standIn((call) => ({ status: 200, body: answerOf(call) }))
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

const io = (more: Parameters<typeof testIo>[0] = {}) =>
  testIo({
    cwd: folder,
    ...more,
    env: { POSTERN_URL: server.url, POSTERN_MANAGEMENT_KEY: 'k'.repeat(40), BRAZE_KEY: secret, ...more.env },
  })

const run = async (terminal: ReturnType<typeof io>, ...args: string[]) =>
  await runCli(terminal, ['connection', ...args])
const create = ['create', '--platform', 'braze', '--name', 'main', '--set', 'endpoint=rest.iad-01.braze.com']

describe('postern connection', () => {
  it('sends a secret from a variable or from standard input, and prints none of it', async () => {
    for (const [terminal, more] of [
      [io(), ['--secret-env', 'BRAZE_KEY']],
      [io(), ['--secret-env', 'api_key=BRAZE_KEY']],
      [io({ stdin: `${secret}\n` }), []],
    ] as const) {
      expect(await run(terminal, ...create, ...more, '--verbose')).toBe(0)
      expect(server.heard.at(-1)).toMatchObject({
        method: 'POST',
        path: '/api/v1/connections',
        body: {
          platform: 'braze',
          name: 'main',
          settings: { endpoint: 'rest.iad-01.braze.com' },
          secrets: { api_key: secret },
        },
      })
      expect(terminal.printed.out() + terminal.printed.err()).not.toContain(secret)
      expect(terminal.printed.out()).toContain('…6789 (0011223344556677)')
      expect(terminal.printed.err()).toContain('"secrets":"[cut]"')
    }
  })

  it('says of a platform that takes its credential in the body that no route can inject it', async () => {
    await server.close()
    server = await standIn((call) => {
      const body = answerOf(call)
      const told =
        typeof body === 'object' && JSON.stringify(body).replaceAll('"injectable":true', '"injectable":false')
      return { status: 200, body: JSON.parse(String(told)) }
    })
    const said = async (...args: string[]) => {
      const terminal = io()
      expect(await run(terminal, ...args)).toBe(0)
      return terminal.printed.out() + terminal.printed.err()
    }
    const row = /injected by routes\s+no: its credential travels in the body/
    expect(await said(...create, '--secret-env', 'BRAZE_KEY')).toMatch(row)
    expect(await said(...create, '--secret-env', 'BRAZE_KEY')).toContain('Routes cannot inject it')
    expect(await said('show', 'conn_1')).toMatch(row)
    expect(await said('platforms', 'braze')).toMatch(row)
  })

  it('makes it for an account or a project of a customer', async () => {
    await run(io(), ...create, '--secret-env', 'BRAZE_KEY', '--account', 'acc_1')
    expect(server.heard.at(-1)?.path).toBe('/api/v1/accounts/acc_1/connections')
    await run(io(), ...create, '--secret-env', 'BRAZE_KEY', '--project', 'prj_1')
    expect(server.heard.at(-1)?.path).toBe('/api/v1/projects/prj_1/connections')
    expect(await run(io(), ...create, '--secret-env', 'BRAZE_KEY', '--project', 'p', '--account', 'a')).toBe(2)
  })

  it.each([
    ['a secret as an argument', ['--set', `api_key=${secret}`], {}],
    ['a variable that is not set', ['--secret-env', 'NOTHING'], {}],
    ['a secret in the place of a variable', ['--secret-env', secret], {}],
    ['a field that is not secret', ['--secret-env', 'endpoint=BRAZE_KEY'], {}],
    ['nothing at a terminal', [], { tty: true }],
    ['nothing by standard input', [], { stdin: '\n' }],
    ['no name before the sign', ['--set', '=x', '--secret-env', 'BRAZE_KEY'], {}],
  ])('refuses %s before anything is sent, without repeating it', async (_what, args, more) => {
    const terminal = io(more)
    expect(await run(terminal, 'create', '--platform', 'braze', '--name', 'main', ...args)).toBe(2)
    expect(server.heard.filter(({ method }) => method === 'POST')).toEqual([])
    expect(terminal.printed.out() + terminal.printed.err()).not.toContain(secret)
  })

  it('rotates with the settings that there are, and those that are said', async () => {
    await run(io(), 'rotate', 'conn_1', '--secret-env', 'BRAZE_KEY')
    expect(server.heard.at(-1)).toMatchObject({
      path: '/api/v1/connections/conn_1/rotate',
      body: { secrets: { api_key: secret } },
    })
    expect(server.heard.at(-1)?.body).not.toHaveProperty('settings')
    await run(io(), 'rotate', 'conn_1', '--set', 'endpoint=rest.fra-01.braze.eu', '--secret-env', 'BRAZE_KEY')
    expect(server.heard.at(-1)?.body).toMatchObject({ settings: { endpoint: 'rest.fra-01.braze.eu' } })
  })

  it('exits with 3 where the platform does not accept the credential', async () => {
    expect(await run(io(), 'check', 'conn_1')).toBe(0)
    checkOk = false
    expect(await run(io(), 'check', 'conn_1')).toBe(3)
  })

  it('reads secrets to a terminal or a file, and to a pipe only when told', async () => {
    expect(await run(io(), 'read', 'conn_1')).toBe(2)
    expect(server.heard).toEqual([])
    const piped = io()
    expect(await run(piped, 'read', 'conn_1', '--show-secret')).toBe(0)
    expect(piped.printed.out()).toBe(`api_key\t${secret}\n`)
    const filed = io()
    expect(await run(filed, '--json', 'read', 'conn_1', '--to', 'env-file:.env', '--env-name', 'BRAZE')).toBe(0)
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(`BRAZE=${secret}\n`)
    expect(filed.printed.out() + filed.printed.err()).not.toContain(secret)
    const verbose = io()
    await run(verbose, 'read', 'conn_1', '--to', 'env-file:.env', '--verbose')
    expect(verbose.printed.err()).not.toContain(secret)
  })

  it('asks before it deletes', async () => {
    const terminal = io({ tty: true, answers: ['other'] })
    expect(await run(terminal, 'delete', 'conn_1')).toBe(1)
    expect(server.heard.some(({ method }) => method === 'DELETE')).toBe(false)
    expect(await run(io(), '--yes', 'delete', 'conn_1')).toBe(0)
    expect(server.heard.at(-1)).toMatchObject({ method: 'DELETE', path: '/api/v1/connections/conn_1' })
  })

  it('lists, shows, renames, disables and enables; and tells what a platform asks for', async () => {
    const listed = io()
    await run(listed, 'list', '--platform', 'braze')
    expect(listed.printed.out()).toContain('conn_1')
    expect(server.heard.at(-1)?.path).toContain('platform=braze')
    await run(io(), 'update', 'conn_1', '--name', 'other')
    expect(server.heard.at(-1)).toMatchObject({
      method: 'PATCH',
      headers: { 'if-match': '"1"' },
      body: { name: 'other' },
    })
    await run(io(), 'disable', 'conn_1', '--reason', 'leaked')
    expect(server.heard.at(-1)).toMatchObject({
      path: '/api/v1/connections/conn_1/disable',
      body: { reason: 'leaked' },
    })
    await run(io(), 'enable', 'conn_1')
    expect(server.heard.at(-1)?.path).toBe('/api/v1/connections/conn_1/enable')
    const fields = io()
    await run(fields, 'platforms', 'braze')
    expect(fields.printed.out()).toContain('Make a second key.')
    expect(fields.printed.out()).toContain('--secret-env or standard input')
    const all = io()
    await run(all, 'platforms')
    expect(all.printed.out()).toContain('Braze')
    const shown = io()
    await run(shown, 'show', 'conn_1')
    expect(shown.printed.out()).toContain('0011223344556677')
  })
})
