import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { runCli } from '../packages/cli/src/cli.ts'
import { testIo } from '../packages/cli/src/testing/io.ts'
import { aPerson, type Person } from './identity/support/person.ts'
import { basic, oauthYaml, post } from './support/oauth.ts'
import { managementKey, startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

/** The command line against a whole server: clients and their tokens, people and their places, signing keys. */
let server: TestServer
let folder: string
let account: string

beforeAll(async () => {
  folder = mkdtempSync(pathOf(tmpdir(), 'postern-cli-oauth-'))
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
  const made = json(await cli(['account', 'create', '--name', 'Acme', '--plan', 'pro', '--json', '--show-secret']))
  account = made.account.id
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
  const io = { ...testIo({ cwd: folder, ...more, env }), now: Date.now }
  const code = await runCli(io, args)
  return { code, out: io.printed.out(), err: io.printed.err() }
}

function json({ code, out, err }: Ran) {
  expect({ code, err }).toMatchObject({ code: 0 })
  return JSON.parse(out)
}

interface Client {
  readonly id: string
  readonly publicId: string
  readonly value: string
}

async function aClient(...more: readonly string[]): Promise<Client> {
  const args = ['client', 'create', '--account', account, '--name', 'Nightly', '--api', 'shop']
  const made = json(await cli([...args, '--scope', 'orders.read', ...more, '--show-secret', '--json']))
  return { id: made.credential.id, publicId: made.credential.client_id, value: made.secret?.value ?? '' }
}

const tokenFor = async (client: Client) =>
  await post(`${server.console}/oauth/token`, { grant_type: 'client_credentials' }, basic(client))

async function call(token: string): Promise<number> {
  const answer = await fetch(`${server.own[0]}/v1/orders/1`, { headers: { authorization: `Bearer ${token}` } })
  return answer.status
}

describe('postern client', () => {
  it('registers a client, and what it prints gets tokens until it is revoked', async () => {
    const client = await aClient()
    const { body } = await tokenFor(client)
    expect(await call(body.access_token)).toBe(200)
    const shown = await cli(['client', 'show', client.id])
    expect(shown.out).toContain('gets tokens by\tclient_credentials\n')
    expect(shown.out).not.toContain(client.value)
    expect((await cli(['client', 'list', '--account', account])).out).toContain(`${client.id}\t${client.publicId}\t`)

    expect((await cli(['client', 'block', client.id, '--reason', 'looked at'])).code).toBe(0)
    expect([(await tokenFor(client)).status, await call(body.access_token)]).toEqual([401, 401])
    expect((await cli(['client', 'unblock', client.id])).code).toBe(0)
    expect(await call(body.access_token)).toBe(200)
    expect((await cli(['client', 'revoke', client.id, '--yes'])).code).toBe(0)
    expect([(await tokenFor(client)).status, await call(body.access_token)]).toEqual([401, 401])
  })

  it('rotates with overlap, and tokens live through it', async () => {
    const client = await aClient()
    const { body } = await tokenFor(client)
    const rotated = await cli(['client', 'rotate', client.id, '--overlap', '1h', '--to', 'env-file:.env'])
    expect(rotated.code).toBe(0)
    const [, value = ''] = /^API_KEY=(acme_cs_.+)$/m.exec(readFileSync(pathOf(folder, '.env'), 'utf8')) ?? []
    expect(rotated.out).not.toContain(value)
    expect([(await tokenFor(client)).status, (await tokenFor({ ...client, value })).status]).toEqual([200, 200])
    expect(await call(body.access_token)).toBe(200)
  })

  it('makes public clients without a secret, and says what is wrong by option', async () => {
    const made = await aClient('--public', '--redirect-uri', 'https://app.example/callback')
    expect(made.value).toBe('')
    const refused = await cli(['client', 'update', made.id, '--redirect-uri', 'http://app.example/callback'])
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('why    --redirect-uri: uses plain HTTP')])
    const uris = ['--redirect-uri', 'https://a.example/', '--redirect-uri', 'ftp://a.example/']
    const second = await cli(['client', 'update', made.id, ...uris])
    expect(second.err).toContain('--redirect-uri (2): ')
    const rotated = await cli(['client', 'rotate', made.id, '--show-secret'])
    expect([rotated.code, rotated.err]).toEqual([1, expect.stringContaining('public client has no secret')])
  })
})

describe('postern token', () => {
  it('lists, introspects and revokes; explain and the request log tell of it', async () => {
    const client = await aClient()
    const minted = await tokenFor(client)
    const env = { TOKEN: minted.body.access_token }
    const [listed] = json(await cli(['token', 'list', '--credential', client.id, '--json']))
    expect(listed).toMatchObject({ kind: 'access', state: 'live', scopes: ['orders.read'] })
    const found = await cli(['token', 'introspect', '--token-env', 'TOKEN'], { env })
    expect([found.code, found.out]).toEqual([0, expect.stringContaining(`id\t${listed.id}\n`)])

    const request = ['--api', 'shop', '--path', '/v1/orders/1', '--host', 'x:1', '--key-env', 'TOKEN']
    const explained = await cli(['explain', ...request], { env })
    expect([explained.code, explained.out]).toEqual([0, expect.stringContaining(`with  token ${listed.id}`)])
    expect(await call(env.TOKEN)).toBe(200)

    expect((await cli(['token', 'revoke', listed.id, '--yes'])).code).toBe(0)
    expect(await call(env.TOKEN)).toBe(401)
    expect((await cli(['token', 'revoke', listed.id, '--yes'])).err).toContain('revoked already')
    expect((await cli(['token', 'introspect', '--token-env', 'TOKEN'], { env })).code).toBe(3)
    expect((await cli(['token', 'introspect'], { stdin: 'acme_at_nothing' })).code).toBe(1)
    expect((await cli(['explain', ...request], { env })).out).toContain('401 token_revoked')
    await until('the log has both', async () => {
      const rows = json(await cli(['requests', '--token', listed.id, '--json']))
      return rows.length === 2 && rows.every(({ token }: { token: string }) => token === listed.id)
    })
    const [event] = json(await cli(['events', '--token', listed.id, '--json']))
    expect(event).toMatchObject({ action: 'token.revoked', target: { id: listed.id } })
    expect((await cli(['token', 'show', 'tok_nothing'])).err).toContain('next   npx postern token list\n')
  })
})

const password = 'a wombat in violet velvet'

/** Invites by the command line, and joins with the link as a browser does. */
async function join(email: string, role: string): Promise<Person> {
  const args = ['member', 'invite', '--account', account, '--email', email, '--role', role]
  const { link } = json(await cli([...args, '--show-secret', '--json']))
  const person = aPerson(server.console)
  const welcome = await person.get(new URL(link.value).pathname)
  const joined = await person.submit(welcome, { name: 'Ada Lovelace', password, repeated: password })
  expect(joined.location).toContain('/me')
  return person
}

async function memberOf(email: string): Promise<{ readonly id: string; readonly user: string }> {
  const members: { id: string; user: string; email: string }[] = json(
    await cli(['member', 'list', '--account', account, '--json']),
  )
  const found = members.find((each) => each.email === email)
  if (found === undefined) throw new Error(`${email} is no member`)
  return found
}

describe('people', () => {
  it('join by the link that is printed, change their role and leave', async () => {
    await join('owner@people.example', 'owner')
    await join('ada@people.example', 'developer')
    const { id } = await memberOf('ada@people.example')
    expect((await cli(['member', 'role', id, '--role', 'viewer'])).out).toContain('role\tviewer\n')
    expect((await cli(['member', 'remove', id])).code).toBe(2)
    expect((await cli(['member', 'remove', id, '--yes'])).code).toBe(0)
    expect((await cli(['member', 'show', id])).err).toContain('next   npx postern member list\n')
    const owner = await memberOf('owner@people.example')
    const refused = await cli(['member', 'remove', owner.id, '--yes'])
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('without an owner')])
  })

  it('are not let in by a link that was revoked', async () => {
    const args = ['member', 'invite', '--account', account, '--email', 'eve@people.example', '--role', 'viewer']
    const { invitation, link } = json(await cli([...args, '--show-secret', '--json']))
    expect((await cli(['invitation', 'list', '--open'])).out).toContain(invitation.id)
    expect((await cli(['invitation', 'revoke', invitation.id])).code).toBe(0)
    expect((await cli(['invitation', 'list', '--open'])).out).not.toContain(invitation.id)
    const page = await aPerson(server.console).get(new URL(link.value).pathname)
    expect(page.text).not.toContain('eve@people.example')
    const bad = await cli([...args.slice(0, 5), 'eve at home', '--role', 'viewer', '--show-secret'])
    expect(bad.err).toContain('why    --email: is not an e-mail address.')
  })

  it('are signed out, shut out, helped with a link, exported and erased', async () => {
    const person = await join('grace@people.example', 'developer')
    const { user } = await memberOf('grace@people.example')
    const [session] = json(await cli(['user', 'sessions', user, '--json']))
    expect((await person.get('/me')).status).toBe(200)
    expect((await cli(['user', 'end-session', user, session.id])).code).toBe(0)
    expect((await person.get('/me')).status).not.toBe(200)

    const { link } = json(await cli(['user', 'reset-password', user, '--show-secret', '--json']))
    const page = await person.get(new URL(link.value).pathname)
    const fresh = 'another wombat in velvet'
    expect((await person.submit(page, { password: fresh, repeated: fresh })).status).toBeLessThan(400)

    expect((await cli(['user', 'disable', user, '--yes'])).out).toContain('state\tdisabled\n')
    expect((await cli(['user', 'enable', user])).out).toContain('state\tactive\n')
    const exported = json(await cli(['user', 'export', user]))
    expect(exported).toMatchObject({ user: { email: 'grace@people.example' }, members: [{ role: 'developer' }] })
    expect((await cli(['user', 'erase', user, '--yes'])).out).toContain('state\terased\n')
    expect((await cli(['user', 'list', '--search', 'grace'])).out).not.toContain(user)
    const actions = json(await cli(['events', '--user', user, '--json'])).map(
      ({ action }: { action: string }) => action,
    )
    expect(actions).toEqual(expect.arrayContaining(['user.created', 'user.password_changed', 'user.erased']))
  })
})

describe('signing keys', () => {
  it('are listed and rotated, and what is in the JWKS follows', async () => {
    const kids = async () => {
      const { keys } = JSON.parse(await (await fetch(`${server.console}/oauth/jwks`)).text())
      return keys.map(({ kid }: { kid: string }) => kid)
    }
    const [current] = json(await cli(['signing-keys', 'list', '--json']))
    expect(await kids()).toEqual([current.kid])
    expect((await cli(['signing-keys', 'rotate'])).out).toContain('\tnext\t')
    expect(await kids()).toHaveLength(2)
    expect((await cli(['signing-keys', 'rotate', '--compromised', '--yes'])).code).toBe(0)
    expect(await kids()).not.toContain(current.kid)
  })
})

describe('doctor', () => {
  it('looks at signing keys', async () => {
    const { code, out } = await cli(['doctor'])
    expect([code, out]).toEqual([0, expect.stringMatching(/^ok\tsigning keys\tthe current one signs for 0 days; /m)])
  })

  it('hashes a password where a server is set up, and reads its postern.yaml', async () => {
    const here = mkdtempSync(pathOf(folder, 'here-'))
    const write = (publicUrl: string) =>
      writeFileSync(
        pathOf(here, 'postern.yaml'),
        `version: 1\nbrand: acme\npublic_url: ${publicUrl}\napis: {}\nplans: {}\n`,
      )
    write('http://localhost:8081')
    const good = await cli(['doctor'], { cwd: here })
    expect(good.out).toMatch(/^ok\tpasswords\thashed and checked in [0-9]+ ms$/m)
    expect(good.out).toMatch(/^ok\tconfiguration\t.*the issuer is http:\/\/localhost:8081$/m)
    write('http://console.example.com')
    const bad = await cli(['doctor'], { cwd: here })
    expect([bad.code, bad.out]).toEqual([1, expect.stringMatching(/^FAIL\tconfiguration\t.*must be https/m)])
  })
})
