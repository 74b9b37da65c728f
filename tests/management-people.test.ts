import { readdirSync, readFileSync } from 'node:fs'

import type { wire } from '@postern/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { startManagement, type Answer, type Running } from './support/management.ts'
import { accept, aGrant, aMember, aSession } from './support/people.ts'

/** Members, invitations, people and their sessions over HTTP; what holds for every operation is in management-promises. */
let running: Running
let account: string
let project: string

beforeAll(async () => {
  running = await startManagement()
  const made = await anAccount()
  account = made.account
  project = made.project
})
afterAll(async () => await running.stop())
afterEach(() => {
  if (running.faults.length > 0) throw new Error(running.faults.join('\n'))
})

const dayMs = 86_400_000

async function anAccount() {
  const made = await running.call<wire.CreatedAccount>('POST', '/accounts', { body: { name: 'Acme', plan: 'pro' } })
  return { account: made.body.account.id, project: made.body.project.id }
}

/** A management key of an account. */
async function aKey(of: string, scopes: readonly string[]): Promise<string> {
  const body = { name: 'Key', kind: 'management', apis: ['postern'], scopes }
  const issued = await running.call<wire.IssuedCredential>('POST', `/accounts/${of}/credentials`, { body })
  return issued.body.secret?.value ?? ''
}

let numbered = 0
const anAddress = () => `somebody-${++numbered}@people.example`

async function invite(
  body: object,
  more: { readonly key?: string; readonly headers?: Record<string, string>; readonly to?: string } = {},
): Promise<Answer<wire.IssuedInvitation & wire.Problem>> {
  const { to = account, ...options } = more
  return await running.call('POST', `/accounts/${to}/invitations`, { body, ...options })
}

describe('invitations', () => {
  it('answer once with a link under the declared address, and keep nothing of it', async () => {
    const { status, body, text } = await invite({ email: ' Ada@People.EXAMPLE ', role: 'developer' })
    expect(status).toBe(201)
    const expires = new Date(running.clock.now() + 7 * dayMs).toISOString()
    expect(body.link).toEqual({
      value: expect.stringMatching(/^http:\/\/localhost:8081\/invitation\/[0-9A-Za-z]{43}$/) as unknown,
      visible_until: null,
      expires_at: expires,
    })
    expect(body.invitation).toEqual({
      id: expect.stringMatching(/^inv_[0-9a-f]{32}$/) as unknown,
      account,
      email: 'ada@people.example',
      role: 'developer',
      state: 'open',
      created_by: 'POSTERN_MANAGEMENT_KEY',
      created_at: new Date(running.clock.now()).toISOString(),
      expires_at: expires,
      accepted_at: null,
      revoked_at: null,
    })
    expect(text.split(body.link.value ?? '')).toHaveLength(2)
    const secret = body.link.value?.split('/').at(-1) ?? ''
    const listed = await running.call('GET', `/invitations?account=${account}`)
    const events = await running.call('GET', `/events?account=${account}`)
    expect(listed.text).toContain(body.invitation.id)
    expect(listed.text + events.text).not.toContain(secret)
    expect(events.text).not.toContain('ada@people.example')
  })

  it('are made once under an Idempotency-Key, whose replay has no link', async () => {
    const headers = { 'idempotency-key': 'invite-once' }
    const sent = { email: anAddress(), role: 'viewer' }
    const [first, again] = [await invite(sent, { headers }), await invite(sent, { headers })]
    expect(again.body).toEqual({ ...first.body, link: { ...first.body.link, value: null, secret_unavailable: true } })
    expect(again.headers['idempotent-replayed']).toBe('true')
  })

  it.each([
    ['no address', { role: 'viewer' }, 400, '/email'],
    ['what is none', { email: 'ada at home', role: 'viewer' }, 422, '/email'],
    ['two addresses', { email: 'a@b.example,c@d.example', role: 'viewer' }, 422, '/email'],
    ['a line break', { email: 'a@b.example\r\nBcc: c@d.example', role: 'viewer' }, 422, '/email'],
    ['an address without end', { email: `${'a'.repeat(400)}@b.example`, role: 'viewer' }, 400, '/email'],
    ['no role', { email: 'a@b.example' }, 400, '/role'],
    ['a role that is not there', { email: 'a@b.example', role: 'king' }, 400, '/role'],
    [
      'a minute less a millisecond',
      { email: 'a@b.example', role: 'viewer', expires_in: '59999ms' },
      422,
      '/expires_in',
    ],
    ['31 days', { email: 'a@b.example', role: 'viewer', expires_in: '31d' }, 422, '/expires_in'],
    ['a length that is none', { email: 'a@b.example', role: 'viewer', expires_in: 'soon' }, 400, '/expires_in'],
  ])('are refused with %s', async (_, body, status, path) => {
    const answer = await invite(body)
    expect([answer.status, answer.body.errors?.map((each) => each.path)]).toEqual([status, [path]])
  })

  it.each([['1m'], ['30d']])('work for as long as they say: %s', async (expiresIn) => {
    expect((await invite({ email: anAddress(), role: 'viewer', expires_in: expiresIn })).status).toBe(201)
  })

  it('end at their time, when they are accepted, revoked or replaced, and say which', async () => {
    const home = await anAccount()
    const make = async (more: object = {}) =>
      (await invite({ email: anAddress(), role: 'viewer', ...more }, { to: home.account })).body
    const short = await make({ expires_in: '1m' })
    const accepted = await make()
    await accept(running, accepted)
    const revoked = await make()
    const revoke = async (id: string) =>
      await running.call<wire.ChangedInvitation & wire.Problem>('POST', `/invitations/${id}/revoke`)
    expect((await revoke(revoked.invitation.id)).body.invitation.state).toBe('revoked')
    expect((await revoke(revoked.invitation.id)).body.code).toBe('conflict')
    expect((await revoke(accepted.invitation.id)).body.code).toBe('conflict')
    await expect(accept(running, revoked)).rejects.toThrow('not_found')
    const replaced = await make({ email: 'twice@people.example' })
    const open = await make({ email: 'twice@people.example' })
    running.clock.advance(60_000)
    const list = async (query = '') =>
      (await running.call<wire.InvitationList>('GET', `/invitations?account=${home.account}${query}`)).body.data
    expect(new Map((await list()).map(({ id, state }) => [id, state]))).toEqual(
      new Map([
        [short.invitation.id, 'expired'],
        [accepted.invitation.id, 'accepted'],
        [revoked.invitation.id, 'revoked'],
        [replaced.invitation.id, 'revoked'],
        [open.invitation.id, 'open'],
      ]),
    )
    expect((await list('&open=true')).map(({ id }) => id)).toEqual([open.invitation.id])
  })

  it('are not for who is a member already', async () => {
    const { email } = await aMember(running, account)
    const again = await invite({ email, role: 'viewer' })
    expect([again.status, again.body.code]).toEqual([409, 'conflict'])
  })

  it('to one’s own account give nobody more than one has oneself', async () => {
    const home = await anAccount()
    const inviter = await aKey(home.account, ['members.*'])
    const of = async (role: string, key: string) =>
      (await invite({ email: anAddress(), role }, { key, to: home.account })).body
    for (const role of ['owner', 'admin']) {
      expect(await of(role, inviter)).toMatchObject({
        status: 403,
        code: 'rights_exceeded',
        errors: [{ path: '/role' }],
      })
    }
    for (const role of ['developer', 'viewer']) expect((await of(role, inviter)).invitation.role).toBe(role)
    const everything = await aKey(home.account, ['*'])
    expect((await of('owner', everything)).invitation.role).toBe('owner')
  })

  it('to customers’ accounts are for the operator to give, owners as well', async () => {
    const operators = await aKey('postern', ['members.invite'])
    expect((await invite({ email: anAddress(), role: 'owner' }, { key: operators })).status).toBe(201)
    const own = await invite({ email: anAddress(), role: 'owner' }, { key: operators, to: 'postern' })
    expect([own.status, own.body.code]).toEqual([403, 'rights_exceeded'])
  })
})

describe('members', () => {
  it('are listed by account and person, with who they are', async () => {
    const home = await anAccount()
    const owner = await aMember(running, home.account)
    const other = await anAccount()
    const viewer = await aMember(running, other.account, { role: 'viewer', email: owner.email, user: owner.user })
    const list = async (path: string) => (await running.call<wire.MemberList>('GET', path)).body.data
    const ofHome = await list(`/accounts/${home.account}/members`)
    expect(ofHome).toEqual([
      {
        id: owner.member,
        account: home.account,
        user: owner.user,
        email: owner.email,
        name: 'Ada Lovelace',
        role: 'owner',
        state: 'active',
        created_at: new Date(running.clock.now()).toISOString(),
        version: 1,
      },
    ])
    expect(await list(`/members?account=${home.account}`)).toEqual(ofHome)
    const places = (await list(`/members?user=${owner.user}`)).map(({ id }) => id)
    expect(places.toSorted()).toEqual([owner.member, viewer.member].toSorted())
    const read = await running.call('GET', `/members/${owner.member}`)
    expect([read.body, read.headers['etag']]).toEqual([ofHome[0], '"1"'])
  })

  it('change their role against the version that was read, and the last owner stays one', async () => {
    const home = await anAccount()
    const owner = await aMember(running, home.account)
    const viewer = await aMember(running, home.account, { role: 'viewer' })
    const set = async (member: string, role: string, version?: number) =>
      await running.call<wire.ChangedMember & wire.Problem>('PATCH', `/members/${member}`, {
        body: { role },
        ...(version !== undefined && { headers: { 'if-match': `"${version}"` } }),
      })
    expect((await set(viewer.member, 'admin')).body.code).toBe('precondition_required')
    const changed = await set(viewer.member, 'admin', 1)
    expect(changed).toMatchObject({ status: 200, headers: { etag: '"2"' }, body: { member: { role: 'admin' } } })
    expect(changed.body.effective_everywhere_by).not.toBeNull()
    expect((await set(viewer.member, 'viewer', 1)).status).toBe(412)
    expect((await set(owner.member, 'admin', 1)).body.code).toBe('conflict')
    expect((await set(viewer.member, 'owner', 2)).status).toBe(200)
    expect((await set(owner.member, 'viewer', 1)).status).toBe(200)
    expect((await set(owner.member, 'king', 2)).status).toBe(400)
    const weak = await aKey(home.account, ['members.*'])
    const raised = await running.call<wire.Problem>('PATCH', `/members/${owner.member}`, {
      body: { role: 'owner' },
      headers: { 'if-match': '"2"' },
      key: weak,
    })
    expect([raised.status, raised.body.code]).toEqual([403, 'rights_exceeded'])
  })

  it('are removed with what they have allowed clients, but not the last owner', async () => {
    const home = await anAccount()
    const owner = await aMember(running, home.account)
    const developer = await aMember(running, home.account, { role: 'developer' })
    const oauth = { type: 'public', redirect_uris: ['https://a.example/'] }
    const body = { name: 'App', kind: 'oauth_client', apis: ['shop'], scopes: ['orders.read'], oauth }
    const client = await running.call<wire.IssuedCredential>('POST', `/projects/${project}/credentials`, { body })
    const grant = await aGrant(running, home, client.body.credential.id, developer.user)
    const remove = async (member: string) =>
      await running.call<wire.ChangedMember & wire.Problem>('DELETE', `/members/${member}`)
    expect((await remove(owner.member)).body.code).toBe('conflict')
    const removed = await remove(developer.member)
    expect(removed).toMatchObject({ status: 200, body: { member: { state: 'removed' } } })
    expect((await running.call<wire.Grant>('GET', `/grants/${grant.id}`)).body.state).toBe('withdrawn')
    expect((await remove(developer.member)).status).toBe(404)
    const again = await aMember(running, home.account, { email: developer.email, user: developer.user, role: 'viewer' })
    expect(again.member).toBe(developer.member)
  })
})

describe('people', () => {
  it('are listed and found by name and address, for the operator', async () => {
    const { user, email } = await aMember(running, account)
    const found = await running.call<wire.UserList>('GET', `/users?search=${encodeURIComponent(email.toUpperCase())}`)
    expect(found.body.data).toEqual([
      {
        id: user,
        email,
        name: 'Ada Lovelace',
        state: 'active',
        second_factor: false,
        created_at: new Date(running.clock.now()).toISOString(),
        version: 1,
      },
    ])
    const read = await running.call('GET', `/users/${user}`)
    expect([read.body, read.headers['etag'], read.text.includes('argon2')]).toEqual([found.body.data[0], '"1"', false])
    const theirs = await aKey(account, ['*'])
    expect((await running.call('GET', `/users/${user}`, { key: theirs })).status).toBe(403)
  })

  it('are disabled and enabled; their sessions end', async () => {
    const { user } = await aMember(running, account)
    await aSession(running, user)
    const set = async (verb: string) =>
      await running.call<wire.ChangedUser & wire.Problem>('POST', `/users/${user}/${verb}`)
    expect((await set('disable')).body).toMatchObject({ user: { state: 'disabled' } })
    expect((await set('disable')).body.code).toBe('conflict')
    expect((await running.call<wire.SessionList>('GET', `/users/${user}/sessions`)).body.data).toEqual([])
    expect((await set('enable')).body).toMatchObject({ user: { state: 'active' } })
    expect((await set('enable')).body.code).toBe('conflict')
  })

  it('get a link for a new password, which is shown once', async () => {
    const { user } = await aMember(running, account)
    const headers = { 'idempotency-key': 'reset-once' }
    const ask = async () => await running.call<wire.OfferedReset>('POST', `/users/${user}/reset-password`, { headers })
    const offered = await ask()
    expect(offered.status).toBe(201)
    expect(offered.body.link).toEqual({
      value: expect.stringMatching(/^http:\/\/localhost:8081\/reset\/[0-9A-Za-z]{43}$/) as unknown,
      visible_until: null,
      expires_at: new Date(running.clock.now() + 3_600_000).toISOString(),
    })
    expect((await ask()).body.link).toEqual({ ...offered.body.link, value: null, secret_unavailable: true })
    await running.call('POST', `/users/${user}/disable`)
    const refused = await running.call<wire.Problem>('POST', `/users/${user}/reset-password`)
    expect([refused.status, refused.body.code]).toEqual([409, 'conflict'])
  })

  it('lose their second factor, and with it their sessions', async () => {
    const { user } = await aMember(running, account)
    const by = {
      actor: { kind: 'user', id: user },
      at: running.clock.now(),
      ip: null,
      userAgent: null,
      requestId: null,
    } as const
    const factor = { totp: { bytes: new Uint8Array(32), key: 'people' }, step: 1, recoveryDigests: [] }
    await running.store.people.setSecondFactor({ user, factor, keepSession: null, by })
    await aSession(running, user)
    expect((await running.call<wire.User>('GET', `/users/${user}`)).body.second_factor).toBe(true)
    const removed = await running.call<wire.ChangedUser>('POST', `/users/${user}/remove-factor`)
    expect(removed.body.user.second_factor).toBe(false)
    expect((await running.call<wire.SessionList>('GET', `/users/${user}/sessions`)).body.data).toEqual([])
  })

  it('show where they are signed in, and are signed out of one browser or of all', async () => {
    const { user } = await aMember(running, account)
    const [one, two, three] = [
      await aSession(running, user),
      await aSession(running, user),
      await aSession(running, user),
    ]
    const list = async () => (await running.call<wire.SessionList>('GET', `/users/${user}/sessions`)).body.data
    expect((await list()).map(({ id }) => id).toSorted()).toEqual([one, two, three].toSorted())
    expect((await list())[0]).toMatchObject({
      user,
      signed_in: true,
      ip: '203.0.113.50',
      user_agent: 'a browser',
      ended_at: null,
    })
    const other = await aMember(running, account)
    const end = async (of: string, session: string) =>
      await running.call<wire.EndedSession & wire.Problem>('POST', `/users/${of}/sessions/${session}/end`)
    expect((await end(other.user, one)).status).toBe(404)
    expect((await end(user, one)).body.session).toMatchObject({ id: one, ended_at: expect.any(String) as unknown })
    expect((await end(user, one)).status).toBe(404)
    running.clock.advance(30 * 60_000 - 1)
    expect(await list()).toHaveLength(2)
    running.clock.advance(1)
    expect(await list()).toEqual([])
    expect((await running.call<wire.EndedSessions>('POST', `/users/${user}/sessions/end`)).body.ended).toBe(2)
    expect((await running.call('GET', '/users/usr_nobody/sessions')).status).toBe(404)
  })

  it('of the operator itself are for who has every right: nobody becomes somebody with more', async () => {
    const { user } = await aMember(running, 'postern')
    const support = await aKey('postern', ['users.*', 'sessions.*'])
    for (const verb of ['disable', 'reset-password', 'remove-factor', 'erase']) {
      const answer = await running.call<wire.Problem>('POST', `/users/${user}/${verb}`, { key: support })
      expect([verb, answer.status, answer.body.code]).toEqual([verb, 403, 'rights_exceeded'])
    }
    const customer = await aMember(running, account)
    expect((await running.call('POST', `/users/${customer.user}/reset-password`, { key: support })).status).toBe(201)
  })
})

describe('what is stored about a person (CRC-7)', () => {
  it('is exported whole, without what proves them', async () => {
    const { user, email, member } = await aMember(running, account)
    const session = await aSession(running, user)
    const home = await anAccount()
    await invite({ email, role: 'viewer' }, { to: home.account })
    const answer = await running.call<wire.UserExport>('GET', `/users/${user}/export`)
    expect(answer.body).toMatchObject({
      user: { id: user, email },
      members: [{ id: member }],
      grants: [],
      sessions: [{ id: session, ip: '203.0.113.50' }],
      truncated: [],
    })
    expect(new Map(answer.body.invitations.map((each) => [each.account, each.state]))).toEqual(
      new Map([
        [account, 'accepted'],
        [home.account, 'open'],
      ]),
    )
    const actions = answer.body.events.map(({ action, ip }) => `${action} from ${ip}`)
    expect(actions).toEqual(
      expect.arrayContaining([
        'user.created from 203.0.113.50',
        'member.added from 203.0.113.50',
        'invitation.created from 127.0.0.1',
      ]),
    )
    expect(answer.text).not.toContain('argon2')
    expect((await running.call('GET', '/users/usr_nobody/export')).status).toBe(404)
  })

  it('is erased: nothing that tells who it was is answered any more, and nothing is in a file (135)', async () => {
    const person = await aMember(running, account, { email: 'erase.me@people.example', role: 'developer' })
    await aSession(running, person.user)
    const erased = await running.call<wire.ChangedUser & wire.Problem>('POST', `/users/${person.user}/erase`)
    expect(erased).toMatchObject({
      status: 200,
      body: { user: { id: person.user, state: 'erased', name: '', email: `${person.user}@erased.invalid` } },
    })
    expect((await running.call<wire.Problem>('POST', `/users/${person.user}/erase`)).body.code).toBe('conflict')
    expect((await running.call<wire.Problem>('POST', `/users/${person.user}/enable`)).body.code).toBe('conflict')
    expect((await running.call('GET', `/members/${person.member}`)).status).toBe(404)
    const exported = await running.call<wire.UserExport>('GET', `/users/${person.user}/export`)
    expect(exported.body).toMatchObject({ members: [], sessions: [] })
    expect(exported.body.events.filter(({ actor }) => actor.kind === 'user').map(({ ip }) => ip)).not.toContain(
      '203.0.113.50',
    )
    for (const path of ['/users', '/members', '/invitations', '/events', `/users/${person.user}/export`])
      expect((await running.call('GET', path)).text).not.toContain('erase.me')
    for (const file of filesBelow(running.folder)) expect(readFileSync(file).includes('erase.me@people')).toBe(false)
  })

  it('is not erased where an account would be left without an owner', async () => {
    const home = await anAccount()
    const { user } = await aMember(running, home.account)
    const refused = await running.call<wire.Problem>('POST', `/users/${user}/erase`)
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('without an owner')])
  })
})

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}
