import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { codeOf, password, setUpFactor, signIn, startWorld, type World } from './support/world.ts'

describe('signing in', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
    await world.member('ada@example.com')
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })

  it('is asked for before everything else, and leads back', async () => {
    const person = world.person()
    const asked = await person.get('/me/password')
    expect([asked.status, asked.location]).toEqual([303, '/sign-in?continue=%2Fme%2Fpassword'])
    const page = await person.follow(asked)
    expect([page.status, page.title]).toEqual([200, 'Sign in · acme'])
    const answer = await person.submit(page, { email: ' ADA@Example.com ', password })
    expect([answer.status, answer.location]).toEqual([303, '/me/password'])
    expect((await person.follow(answer)).title).toBe('Change password · acme')
  })

  it('leads nowhere but to pages of ours (4)', async () => {
    for (const way of ['//evil.example', 'https://evil.example/', '/\\evil.example', '/api/v1/accounts', '/sign-out']) {
      const person = world.person()
      const answer = await signIn(person, 'ada@example.com', password, way)
      expect([way, answer.status, answer.location]).toEqual([way, 303, '/me'])
      const again = await person.get(`/sign-in?continue=${encodeURIComponent(way)}`)
      expect([again.status, again.location]).toEqual([303, '/me'])
    }
  })

  it('gives a new secret to the cookie, whatever the browser brought (fixation, 72)', async () => {
    const person = world.person()
    const planted = 'A'.repeat(43)
    person.cookies.set('postern_session', planted)
    const page = await person.get('/sign-in')
    expect(person.cookies.get('postern_session')).toBe(planted)
    const answer = await person.submit(page, { email: 'ada@example.com', password })
    expect(answer.headers.getSetCookie()[0]).toMatch(
      /^postern_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    const first = person.cookies.get('postern_session') ?? ''
    expect(first).not.toBe(planted)
    const again = await person.submit(await person.get('/sign-in?again=1'), { password })
    expect(again.location).toBe('/me')
    expect(person.cookies.get('postern_session')).not.toBe(first)
    const thief = world.person()
    thief.cookies.set('postern_session', first)
    expect((await thief.get('/me')).location).toBe('/sign-in?continue=%2Fme')
  })

  it.each([
    ['a wrong password', 'ada@example.com', 'a wombat in violet velve'],
    ['an address that nobody has', 'nobody@example.com', password],
  ])('says the same of %s (79)', async (_, email, secret) => {
    const answer = await signIn(world.person(), email, secret)
    expect(answer.status).toBe(422)
    const form = answer.form()
    expect(form.fields.find(([name]) => name === 'password')?.[1]).toBe('')
    expect(normal(answer.text, email)).toBe(
      normal((await signIn(world.person(), 'eve@example.com')).text, 'eve@example.com'),
    )
    expect(answer.words).toContain('The e-mail address or the password is wrong.')
  })

  it.each([
    ['no address', { email: '', password }, 'Enter an e-mail address'],
    ['no real address', { email: 'ada@', password }, 'Enter an e-mail address'],
    ['no password', { email: 'ada@example.com', password: '' }, 'Enter your password.'],
    ['a password of a megabyte', { email: 'ada@example.com', password: 'x'.repeat(60_000) }, 'at most 128 characters'],
    ['the address twice', { email: ['ada@example.com', 'eve@example.com'], password }, 'Enter an e-mail address'],
  ])('says what is missing where there is %s, beside its field', async (_, fields, text) => {
    const person = world.person()
    const answer = await person.submit(await person.get('/sign-in'), fields)
    expect(answer.status).toBe(422)
    expect(answer.words).toContain(text)
    expect(answer.text).toMatch(/<a href="#(email|password)">/)
    expect(answer.text).toContain('aria-invalid="true"')
  })

  it('is refused where no page of ours sent the form to this browser (75)', async () => {
    const [person, other] = [world.person(), world.person()]
    const page = await person.get('/sign-in')
    await other.get('/sign-in')
    const fields = { ...Object.fromEntries(page.form().fields), email: 'ada@example.com', password }
    const refused = async (answer: Promise<{ status: number; title: string; headers: Headers }>) => {
      const { status, title, headers } = await answer
      expect([status, title]).toEqual([403, 'This form could not be taken · acme'])
      expect(headers.getSetCookie().filter((line) => line.startsWith('postern_session'))).toEqual([])
    }
    for (const site of ['cross-site', 'same-site', 'none']) {
      await refused(person.post('/sign-in', fields, { 'sec-fetch-site': site }))
    }
    await refused(other.post('/sign-in', fields))
    await refused(person.post('/sign-in', { ...fields, form: '' }))
    await refused(person.post('/sign-in', { ...fields, form: `${fields['form' as keyof typeof fields]}x` }))
    await refused(person.post('/sign-in', { email: 'ada@example.com', password }))
    await refused(world.person().post('/sign-in', fields))
    expect((await person.post('/sign-in', fields)).location).toBe('/me')
  })

  it('is asked for once more where the page had been open for an hour', async () => {
    const person = world.person()
    const page = await person.get('/sign-in?continue=/me/password')
    world.clock.advance(3_600_000)
    const late = await person.submit(page, { email: 'ada@example.com', password })
    expect(late.words).toContain('This page had been open for too long.')
    expect((await person.submit(late, { password })).location).toBe('/me/password')
  })

  it('is refused over plain HTTP from elsewhere (48)', async () => {
    const person = world.person()
    const page = await person.get('/sign-in', { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http' })
    expect([page.status, page.title]).toEqual([403, 'HTTPS is required · acme'])
  })

  it('ends after 30 minutes without use, and after 12 hours whatever happens (73)', async () => {
    const idle = world.person()
    await signIn(idle, 'ada@example.com')
    world.clock.advance(30 * 60_000 - 1)
    expect((await idle.get('/me')).status).toBe(200)
    world.clock.advance(30 * 60_000)
    expect((await idle.get('/me')).status).toBe(303)

    const busy = world.person()
    await signIn(busy, 'ada@example.com')
    for (let used = 0; used < 47; used++) {
      world.clock.advance(15 * 60_000)
      expect((await busy.get('/me')).status).toBe(200)
    }
    world.clock.advance(15 * 60_000 - 1)
    expect((await busy.get('/me')).status).toBe(200)
    world.clock.advance(1)
    expect((await busy.get('/me')).status).toBe(303)
  })

  it('writes the last use of a session once a minute at most', async () => {
    const person = world.person()
    await signIn(person, 'ada@example.com')
    const lastSeen = async () => {
      const { user } = (await world.store.people.proofsOf({ email: 'ada@example.com' })) ?? {}
      const now = world.clock.now()
      const [newest] = await world.store.people.listSessions({ user: user?.id ?? '', now, idleMs: 1_800_000 })
      return newest?.lastSeenAt
    }
    const start = world.clock.now()
    world.clock.advance(59_999)
    await person.get('/me')
    expect(await lastSeen()).toBe(start)
    world.clock.advance(1)
    await person.get('/me')
    expect(await lastSeen()).toBe(start + 60_000)
  })

  it('is told as an event, with ids alone; failures once in ten minutes', async () => {
    world.clock.advance(600_000)
    const before = (await world.actions()).length
    const person = world.person()
    for (let guess = 0; guess < 4; guess++) await signIn(person, 'ada@example.com', 'a wrong password')
    await signIn(person, 'nobody@example.com')
    await signIn(person, 'ada@example.com')
    await expect
      .poll(async () => (await world.actions()).slice(before).toSorted())
      .toEqual(['user.sign_in_failed', 'user.signed_in'])
    const events = (await world.store.events.range({ after: 0, limit: 1000 })).slice(-2)
    expect(JSON.stringify(events.map(({ after, before: was, actor }) => [actor, was, after]))).not.toContain(
      'example.com',
    )
  })
})

describe('a second factor', () => {
  let world: World
  let key: string
  let recoveryCodes: string[]
  beforeAll(async () => {
    world = await startWorld()
    const set = await setUpFactor(await world.member('ada@example.com'), world)
    key = set.key
    recoveryCodes = set.recoveryCodes
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })
  const halfway = async () => {
    const person = world.person()
    const answer = await signIn(person, 'ada@example.com', password, '/me/password')
    expect(answer.location).toBe('/sign-in/factor?continue=%2Fme%2Fpassword')
    return { person, page: await person.follow(answer) }
  }

  it('opens nothing before it is given, and has ten recovery codes', async () => {
    expect(recoveryCodes).toHaveLength(10)
    const { person, page } = await halfway()
    expect(page.title).toBe('Second factor · acme')
    for (const path of ['/me', '/me/password', '/me/second-factor']) expect((await person.get(path)).status).toBe(303)
    expect((await person.post('/me/sessions/end', {})).location).toBe('/sign-in?continue=%2Fme')
    expect((await world.person().get('/sign-in/factor')).location).toBe('/sign-in?continue=%2Fme')
  })

  it('rotates the secret of the cookie, and a code counts once (78)', async () => {
    world.clock.advance(30_000)
    const first = await halfway()
    const before = first.person.cookies.get('postern_session')
    const code = codeOf(key, world)
    const answer = await first.person.submit(first.page, { code })
    expect(answer.location).toBe('/me/password')
    expect(first.person.cookies.get('postern_session')).not.toBe(before)
    expect((await first.person.get('/me')).status).toBe(200)

    const second = await halfway()
    const replayed = await second.person.submit(second.page, { code })
    expect([replayed.status, replayed.words]).toEqual([422, expect.stringContaining('was used before')])
    world.clock.advance(30_000)
    expect((await second.person.submit(replayed, { code: codeOf(key, world) })).location).toBe('/me/password')
  })

  it('is one of ten recovery codes where the app is not at hand, each once', async () => {
    const [code = ''] = recoveryCodes
    const first = await halfway()
    const page = await first.person.get('/sign-in/factor?recovery=1&continue=/me')
    expect(page.title).toBe('Recovery code · acme')
    expect((await first.person.submit(page, { code: code.toUpperCase().replaceAll('-', ' ') })).location).toBe('/me')
    const second = await halfway()
    expect((await second.person.submit(second.page, { code })).status).toBe(422)
    expect(await world.actions()).toContain('user.recovery_code_used')
  })

  it('has to be given within ten minutes of the password', async () => {
    const { person, page } = await halfway()
    world.clock.advance(600_000)
    expect((await person.submit(page, { code: codeOf(key, world) })).location).toMatch(/^\/sign-in\?/)
  })

  it('is not asked for after a wrong password', async () => {
    const answer = await signIn(world.person(), 'ada@example.com', 'a wrong password')
    expect(answer.status).toBe(422)
    expect(answer.words).toContain('The e-mail address or the password is wrong.')
  })

  it('can be tried ten times from an unknown browser, then one in 15 minutes', async () => {
    world.clock.advance(4 * 3_600_000)
    const { person, page } = await halfway()
    person.cookies.delete('postern_device')
    for (let guess = 0; guess < 10; guess++) expect((await person.submit(page, { code: '000000' })).status).toBe(422)
    const refused = await person.submit(page, { code: codeOf(key, world) })
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 900])
  })
})

/** Without what differs from answer to answer by design. */
function normal(text: string, email: string): string {
  return text.replaceAll(/(name="form" value=")[^"]*/g, '$1').replaceAll(email, 'EMAIL')
}
