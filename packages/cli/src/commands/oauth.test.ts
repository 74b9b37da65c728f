import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { runCli } from '../cli.ts'
import { testIo } from '../testing/io.ts'
import { standIn, type Heard, type StandIn } from '../testing/stand-in.ts'

const at = '2026-01-01T00:00:00.000Z'
const clientSecret = `acme_cs_${'s'.repeat(49)}`
const accessToken = `acme_at_${'t'.repeat(49)}`
const link = `http://localhost:8081/invitation/${'l'.repeat(43)}`
const effect = { sequence: 9, effective_everywhere_by: at }
const oauth = { type: 'confidential', grant_types: ['authorization_code'], redirect_uris: ['https://app.example/cb'] }
const client = {
  id: 'cred_0123456789ab',
  public_id: '0123456789ab',
  client_id: '0123456789ab',
  form: 'key',
  kind: 'oauth_client',
  account: 'acc_1',
  project: 'prj_1',
  apis: ['shop'],
  name: 'App',
  scopes: [],
  role: null,
  ip_allow: [],
  origin_allow: null,
  limits: [],
  oauth,
  not_before: null,
  expires_at: null,
  state: 'active',
  state_reason: null,
  exposed_at: null,
  created_by: 'cred_m',
  created_at: at,
  version: 3,
}
const token = {
  id: 'tok_1',
  kind: 'access',
  format: 'opaque',
  credential: client.id,
  grant: 'grt_1',
  family: null,
  account: 'acc_1',
  project: 'prj_1',
  api: 'shop',
  scopes: ['orders.read'],
  label: 'kiosk',
  state: 'live',
  created_at: at,
  expires_at: at,
  spent_at: null,
  revoked_at: null,
}
const grant = {
  id: 'grt_1',
  client: client.id,
  user: 'usr_1',
  account: 'acc_1',
  project: 'prj_1',
  apis: ['shop'],
  scopes: ['orders.read'],
  state: 'active',
  created_at: at,
  updated_at: at,
  withdrawn_at: null,
  version: 1,
}
const member = {
  id: 'mem_1',
  account: 'acc_1',
  user: 'usr_1',
  email: 'ada@example.com',
  name: 'Ada',
  role: 'owner',
  state: 'active',
  created_at: at,
  version: 4,
}
const invitation = {
  id: 'inv_1',
  account: 'acc_1',
  email: 'ada@example.com',
  role: 'admin',
  state: 'open',
  created_by: 'cred_m',
  created_at: at,
  expires_at: at,
  accepted_at: null,
  revoked_at: null,
}
const user = {
  id: 'usr_1',
  email: 'ada@example.com',
  name: 'Ada',
  state: 'active',
  second_factor: true,
  created_at: at,
  version: 1,
}
const session = { id: 'ses_1', user: 'usr_1', signed_in: true, created_at: at, last_seen_at: at, expires_at: at }
const shownSession = { ...session, authenticated_at: at, ended_at: null, ip: '192.0.2.1', user_agent: 'Firefox' }
const signingKey = {
  kid: 'kid-1',
  algorithm: 'ES256',
  state: 'current',
  created_at: at,
  used_from: at,
  used_until: null,
}
const issuedLink = { value: link, visible_until: null, expires_at: at }

/** What the server answers, by the end of method and path; what is not here is a fault of the test. */
const answers: Readonly<Record<string, unknown>> = {
  'GET /credentials': { data: [client], next_cursor: null },
  'GET /credentials/cred_0123456789ab': { ...client, secrets: [], observed_through: null },
  'PATCH /credentials/cred_0123456789ab': client,
  'POST /accounts/acc_1/credentials': {
    credential: client,
    secret: { id: 'sec_1', value: clientSecret, visible_until: null, hint: 'ssss' },
  },
  'POST /projects/prj_1/credentials': {
    credential: { ...client, oauth: { ...oauth, type: 'public' } },
    secret: null,
  },
  'POST /credentials/cred_0123456789ab/revoke': { credential: { ...client, state: 'revoked' }, ...effect },
  'GET /tokens': { data: [token], next_cursor: null },
  'GET /tokens/tok_1': token,
  'GET /tokens/tok_2': { ...token, id: 'tok_2', state: 'expired' },
  'POST /tokens/introspect': token,
  'POST /tokens/tok_1/revoke': { token: { ...token, state: 'revoked' }, ...effect },
  'GET /grants': { data: [grant], next_cursor: null },
  'GET /grants/grt_1': grant,
  'GET /grants/grt_2': { ...grant, id: 'grt_2', state: 'withdrawn' },
  'POST /grants/grt_1/withdraw': { grant: { ...grant, state: 'withdrawn' }, ...effect },
  'GET /members': { data: [member], next_cursor: null },
  'GET /members/mem_1': member,
  'PATCH /members/mem_1': { member: { ...member, role: 'viewer' }, ...effect },
  'DELETE /members/mem_1': { member: { ...member, state: 'removed' }, ...effect },
  'POST /accounts/acc_1/invitations': { invitation, link: issuedLink },
  'GET /invitations': { data: [invitation], next_cursor: null },
  'POST /invitations/inv_1/revoke': { invitation: { ...invitation, state: 'revoked' }, ...effect },
  'GET /users': { data: [user], next_cursor: null },
  'GET /users/usr_1': user,
  'POST /users/usr_1/disable': { user: { ...user, state: 'disabled' }, ...effect },
  'POST /users/usr_1/enable': { user, ...effect },
  'POST /users/usr_1/reset-password': { user, link: { ...issuedLink, value: link.replace('invitation', 'reset') } },
  'POST /users/usr_1/remove-factor': { user: { ...user, second_factor: false }, ...effect },
  'GET /users/usr_1/sessions': { data: [shownSession], next_cursor: null },
  'POST /users/usr_1/sessions/end': { ended: 2, ...effect },
  'POST /users/usr_1/sessions/ses_1/end': { session: { ...shownSession, ended_at: at }, ...effect },
  'GET /users/usr_1/export': { exported_at: at, user, truncated: ['events'] },
  'POST /users/usr_1/erase': { user: { ...user, email: 'erased', name: 'erased' }, ...effect },
  'GET /signing-keys': { data: [signingKey], next_cursor: null },
  'POST /signing-keys/rotate': { data: [signingKey], ...effect },
}

let folder: string
let server: StandIn

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-cli-'))
  server = await standIn(({ method, path }) => {
    const body = answers[`${method} ${(path.split('?')[0] ?? '').replace('/api/v1', '')}`]
    if (body === undefined) return { status: 404, body: { code: 'not_found', title: 'Not found', status: 404 } }
    return { status: 200, body }
  })
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly heard: readonly Heard[]
}

async function cli(args: readonly string[], more: Parameters<typeof testIo>[0] = {}): Promise<Ran> {
  const before = server.heard.length
  const env = { POSTERN_URL: server.url, POSTERN_MANAGEMENT_KEY: 'k'.repeat(40), TOKEN: accessToken, ...more.env }
  const io = testIo({ cwd: folder, ...more, env })
  const code = await runCli(io, args)
  return { code, out: io.printed.out(), err: io.printed.err(), heard: server.heard.slice(before) }
}

const create = ['client', 'create', '--name', 'App', '--api', 'shop', '--redirect-uri', 'https://app.example/cb']

describe('postern client', () => {
  it('registers a confidential client, whose secret is shown where it was asked for alone', async () => {
    const refused = await cli([...create, '--account', 'acc_1'])
    expect([refused.code, refused.heard]).toEqual([2, []])
    const made = await cli([
      ...create,
      '--account',
      'acc_1',
      '--grant-type',
      'authorization_code',
      '--grant-type',
      'refresh_token',
      '--scope',
      'orders.read',
      '--show-secret',
    ])
    expect(made.heard[0]?.body).toEqual({
      name: 'App',
      kind: 'oauth_client',
      apis: ['shop'],
      scopes: ['orders.read'],
      oauth: {
        type: 'confidential',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['https://app.example/cb'],
      },
    })
    expect(made.out).toContain('client id\t0123456789ab\n')
    expect(made.out.split(clientSecret)).toHaveLength(2)
  })

  it('registers a public one, which has no secret to keep', async () => {
    const made = await cli([...create, '--public', '--project', 'prj_1'])
    expect(made).toMatchObject({ code: 0, heard: [{ body: { oauth: { type: 'public' } } }] })
    expect(made.out).toContain('secret\tnone: a public client proves itself by PKCE\n')
  })

  it('cuts the secret from what --verbose shows', async () => {
    const made = await cli([...create, '--account', 'acc_1', '--to', 'env-file:.env', '--verbose'])
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(`API_KEY=${clientSecret}\n`)
    expect(made.out + made.err).not.toContain(clientSecret)
  })

  it.each([
    [[...create, '--account', 'acc_1', '--grant-type', 'password'], 'It takes authorization_code, refresh_token'],
    [create, 'It takes --account or --project, one of them.'],
    [['client', 'create', '--name', 'App', '--account', 'acc_1'], '--api names an API of postern.yaml.'],
    [['client', 'update', 'cred_0123456789ab'], 'npx postern client update cred_0123456789ab'],
  ])('says what is missing or wrong: %#', async (args, said) => {
    const ran = await cli(args)
    expect([ran.code, ran.heard]).toEqual([2, []])
    expect(ran.err).toContain(said)
  })

  it('lists clients alone, and shows what makes one', async () => {
    const listed = await cli(['client', 'list', '--account', 'acc_1'])
    expect(listed.heard[0]?.path).toContain('kind=oauth_client')
    expect(listed.out).toBe(
      `ID\tCLIENT ID\tSTATE\tTYPE\tGETS TOKENS BY\tAPIS\tCREATED\tNAME\ncred_0123456789ab\t0123456789ab\tactive\tconfidential\tauthorization_code\tshop\t${at}\tApp\n`,
    )
    const shown = await cli(['client', 'show', client.id])
    expect(shown.out).toContain('sends people to\thttps://app.example/cb\n')
  })

  it('is marked among keys, which are listed with it', async () => {
    expect((await cli(['key', 'list'])).out).toContain('\toauth_client\t')
  })

  it('changes redirect URIs and grant types against the version that was read', async () => {
    const { heard } = await cli(['client', 'update', client.id, '--redirect-uri', 'https://b.example/cb'])
    expect(heard[1]).toMatchObject({
      method: 'PATCH',
      headers: { 'if-match': '"3"' },
      body: { oauth: { redirect_uris: ['https://b.example/cb'] } },
    })
  })

  it('is revoked like a key', async () => {
    expect((await cli(['client', 'revoke', client.id])).code).toBe(2)
    expect((await cli(['client', 'revoke', client.id, '--yes'])).code).toBe(0)
  })
})

describe('postern token', () => {
  it('lists what is asked for', async () => {
    const { out, heard } = await cli(['token', 'list', '--credential', client.id, '--kind', 'access', '--live'])
    expect(heard[0]?.path).toMatch(/credential=cred_0123456789ab.*kind=access.*live=true|live=true/)
    expect(out).toContain(`tok_1\tlive\taccess\tcred_0123456789ab\tgrt_1\tshop\t${at}\torders.read\tkiosk\n`)
    expect((await cli(['token', 'list', '--kind', 'id'])).code).toBe(2)
  })

  it('takes the token to introspect from a variable or standard input, never as an argument', async () => {
    for (const ran of [
      await cli(['token', 'introspect', '--token-env', 'TOKEN', '--verbose']),
      await cli(['token', 'introspect', '--verbose'], { stdin: `${accessToken}\n` }),
    ]) {
      expect(ran).toMatchObject({ code: 0, heard: [{ body: { token: accessToken } }] })
      expect(ran.out + ran.err).not.toContain(accessToken)
    }
    const argument = await cli(['token', 'introspect', accessToken])
    expect([argument.code, argument.heard]).toEqual([2, []])
    const missing = await cli(['token', 'introspect'], { tty: true })
    expect(missing.err).toContain('npx postern token introspect --token-env NAME')
  })

  it('is revoked after a yes, and done where it has ended', async () => {
    expect((await cli(['token', 'revoke', 'tok_1'])).code).toBe(2)
    const revoked = await cli(['token', 'revoke', 'tok_1', '--yes'])
    expect(revoked).toMatchObject({ code: 0, err: `In force everywhere by ${at}.\n` })
    const again = await cli(['token', 'revoke', 'tok_2'])
    expect([again.code, again.heard.length]).toEqual([0, 1])
    expect(again.err).toContain('expired already')
  })
})

describe('postern grant', () => {
  it('lists, shows and withdraws, and is done where it was', async () => {
    expect((await cli(['grant', 'list', '--user', 'usr_1', '--state', 'active'])).out).toContain('grt_1\tactive')
    expect((await cli(['grant', 'show', 'grt_1'])).out).toContain('scopes\torders.read\n')
    expect((await cli(['grant', 'withdraw', 'grt_1'])).code).toBe(2)
    expect((await cli(['grant', 'withdraw', 'grt_1', '--yes', '--json'])).out).toContain('"state": "withdrawn"')
    expect((await cli(['grant', 'withdraw', 'grt_2'])).err).toContain('withdrawn already')
  })
})

describe('postern member and invitation', () => {
  const invite = ['member', 'invite', '--account', 'acc_1', '--email', 'ada@example.com', '--role', 'admin']

  it('shows the link once, to a terminal or where it was asked for', async () => {
    const refused = await cli(invite)
    expect([refused.code, refused.heard]).toEqual([2, []])
    const shown = await cli([...invite, '--expires-in', '2d'], { tty: true })
    expect(shown.out.split(link)).toHaveLength(2)
    expect(shown.err).toContain('not shown again')
    expect(shown.heard[0]?.body).toEqual({ email: 'ada@example.com', role: 'admin', expires_in: '2d' })
    const filed = await cli([...invite, '--to', 'env-file:.env', '--json', '--verbose'])
    expect(readFileSync(join(folder, '.env'), 'utf8')).toBe(`INVITATION_LINK=${link}\n`)
    expect(filed.out + filed.err).not.toContain(link)
  })

  it.each([
    [invite.slice(0, -2), "required option '--role <role>'"],
    [[...invite.slice(0, -1), 'king'], 'Allowed choices are owner, admin, developer, viewer.'],
  ])('says which role it takes: %#', async (args, said) => {
    const ran = await cli([...args, '--show-secret'])
    expect([ran.code, ran.heard]).toEqual([2, []])
    expect(ran.err).toContain(said)
  })

  it('lists members and changes a role against the version that was read', async () => {
    expect((await cli(['member', 'list', '--account', 'acc_1'])).out).toContain('\tada@example.com\tAda\n')
    const changed = await cli(['member', 'role', 'mem_1', '--role', 'viewer'])
    expect(changed.heard[1]).toMatchObject({ headers: { 'if-match': '"4"' }, body: { role: 'viewer' } })
    expect(changed.out).toContain('role\tviewer\n')
  })

  it('asks for the address before it removes somebody', async () => {
    const no = await cli(['member', 'remove', 'mem_1'], { tty: true, answers: ['eve@example.com'] })
    expect([no.code, no.heard.length]).toEqual([1, 1])
    const yes = await cli(['member', 'remove', 'mem_1'], { tty: true, answers: ['ada@example.com'] })
    expect([yes.code, yes.heard[1]?.method]).toEqual([0, 'DELETE'])
  })

  it('lists and revokes invitations', async () => {
    const listed = await cli(['invitation', 'list', '--open'])
    expect(listed.heard[0]?.path).toContain('open=true')
    expect(listed.out).toContain('inv_1\topen\tacc_1\tadmin')
    expect((await cli(['invitation', 'revoke', 'inv_1'])).out).toContain('state\trevoked\n')
  })
})

describe('postern user', () => {
  it('lists and shows people', async () => {
    expect((await cli(['user', 'list', '--search', 'ada'])).out).toContain('usr_1\tactive\ttwo')
    expect((await cli(['user', 'show', 'usr_1'])).out).toContain('second factor\tasked for\n')
    expect((await cli(['user', 'show', 'usr_9'])).err).toContain('next   npx postern user list\n')
  })

  it('disables and enables, and takes a second factor away, after a yes where it ends something', async () => {
    expect((await cli(['user', 'disable', 'usr_1'])).code).toBe(2)
    expect((await cli(['user', 'disable', 'usr_1', '--yes'])).out).toContain('state\tdisabled\n')
    expect((await cli(['user', 'enable', 'usr_1'])).code).toBe(0)
    expect((await cli(['user', 'remove-factor', 'usr_1'])).code).toBe(2)
    expect((await cli(['user', 'remove-factor', 'usr_1', '--yes'])).out).toContain('second factor\tnone\n')
  })

  it('makes a link for a new password, and shows it once', async () => {
    expect((await cli(['user', 'reset-password', 'usr_1'])).code).toBe(2)
    expect((await cli(['user', 'reset-password', 'usr_1', '--show-secret'])).out).toContain('/reset/lll')
  })

  it('lists sessions and ends one or all', async () => {
    expect((await cli(['user', 'sessions', 'usr_1'])).out).toContain('ses_1\tyes')
    expect((await cli(['user', 'end-session', 'usr_1', 'ses_1'])).out).toBe('ended\tses_1\n')
    expect((await cli(['user', 'end-session', 'usr_1', '--all'])).out).toBe('ended\t2\n')
    for (const more of [[], ['ses_1', '--all']])
      expect((await cli(['user', 'end-session', 'usr_1', ...more])).code).toBe(2)
  })

  it('exports as JSON, says what is longer, and erases after a yes', async () => {
    const exported = await cli(['user', 'export', 'usr_1'])
    expect(JSON.parse(exported.out)).toMatchObject({ user })
    expect(exported.err).toContain('more events')
    expect((await cli(['user', 'erase', 'usr_1'])).code).toBe(2)
    expect((await cli(['user', 'erase', 'usr_1', '--yes'])).out).toContain('email\terased\n')
  })
})

describe('postern signing-keys', () => {
  it('lists, rotates, and asks before a compromised one is removed', async () => {
    expect((await cli(['signing-keys', 'list'])).out).toContain(`kid-1\tcurrent\tES256\t${at}`)
    expect((await cli(['signing-keys', 'rotate'])).heard[0]?.body).toEqual({ compromised: false })
    const asked = await cli(['signing-keys', 'rotate', '--compromised'])
    expect([asked.code, asked.heard]).toEqual([2, []])
    const rotated = await cli(['signing-keys', 'rotate', '--compromised', '--yes'])
    expect(rotated.heard[0]?.body).toEqual({ compromised: true })
  })
})

describe('completion', () => {
  it('knows the commands and their options', async () => {
    const { out } = await cli(['completion', 'bash'])
    expect(out).toContain('"client create") echo "')
    for (const word of ['--redirect-uri', 'reset-password', 'signing-keys', '--token-env', 'end-session'])
      expect(out).toContain(word)
  })
})
