import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import type { Person } from './support/person.ts'
import { codeOf, password, setUpFactor, signIn, startWorld, type World } from './support/world.ts'

const another = 'two wombats in scarlet satin'

describe('what a person changes of how they sign in', () => {
  let world: World
  let ada: Person
  let email: string
  let count = 0
  beforeAll(async () => {
    world = await startWorld()
  })
  beforeEach(async () => {
    email = `ada${count++}@example.com`
    ada = await world.member(email)
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })

  const second = async () => {
    const person = world.person()
    await signIn(person, email)
    return person
  }
  const isSignedIn = async (person: Person) => (await person.get('/me')).status === 200

  it('shows who they are, whose member, and where they are signed in', async () => {
    await second()
    const page = await ada.get('/me')
    expect(page.status).toBe(200)
    for (const text of ['Ada Lovelace', email, 'Acme', 'developer', 'Firefox on Linux', 'this one', '127.0.0.1'])
      expect(page.words).toContain(text)
  })

  it.each(['/me/password', '/me/second-factor'])(
    '%s asks for the password again after 5 minutes (74)',
    async (path) => {
      world.clock.advance(5 * 60_000 - 1)
      expect((await ada.get(path)).status).toBe(200)
      world.clock.advance(1)
      const asked = await ada.get(path)
      expect(asked.location).toBe(`/sign-in?again=1&continue=${encodeURIComponent(path)}`)
      const page = await ada.follow(asked)
      expect([page.title, page.words]).toEqual(['Confirm that it is you · acme', expect.stringContaining('once more')])
      expect(page.form().fields).toContainEqual(['email', email])
      expect((await ada.submit(page, { password: 'a wrong password' })).status).toBe(422)
      const done = await ada.submit(page, { password })
      expect(done.location).toBe(path)
      expect((await ada.follow(done)).status).toBe(200)
    },
  )

  it('a stolen cookie changes nothing after 5 minutes, and a form that was open for so long neither', async () => {
    const page = await ada.get('/me/password')
    world.clock.advance(5 * 60_000)
    const answer = await ada.submit(page, { password: another, repeated: another })
    expect(answer.location).toBe('/sign-in?again=1&continue=%2Fme%2Fpassword')
    expect((await signIn(world.person(), email, another)).status).toBe(422)
  })

  it('a new password ends every other session, and the cookie is another one', async () => {
    const other = await second()
    const before = ada.cookies.get('postern_session') ?? ''
    const answer = await ada.submit(await ada.get('/me/password'), { password: another, repeated: another })
    expect([answer.status, answer.location]).toEqual([303, '/me?done=password'])
    expect((await ada.follow(answer)).words).toContain('Your password is changed.')
    expect(await isSignedIn(other)).toBe(false)
    const thief = world.person()
    thief.cookies.set('postern_session', before)
    expect(await isSignedIn(thief)).toBe(false)
    expect((await signIn(world.person(), email)).status).toBe(422)
    expect((await signIn(world.person(), email, another)).location).toBe('/me')
    expect(await world.actions()).toContain('user.password_changed')
  })

  it.each([
    ['short', 'vexed wombat 7', 'vexed wombat 7', 'fewer than 15 characters'],
    ['long', 'vexed wombat '.repeat(10), 'vexed wombat '.repeat(10), 'more than 128 characters'],
    ['guessed', 'passwordpassword', 'passwordpassword', 'first that are guessed'],
    ['not repeated', another, `${another}.`, 'The two passwords differ'],
  ])('a new password that is %s is not taken (77)', async (_, first, repeated, text) => {
    const answer = await ada.submit(await ada.get('/me/password'), { password: first, repeated })
    expect([answer.status, answer.words]).toEqual([422, expect.stringContaining(text)])
    expect(answer.text).not.toContain(first)
    expect((await signIn(world.person(), email)).location).toBe('/me')
  })

  it('a second factor is set up by its key and a code, and ends every other session', async () => {
    const other = await second()
    const page = await ada.get('/me/second-factor')
    expect(page.text).toContain('href="otpauth://totp/acme:')
    const wrong = await ada.submit(page, { code: '000000' })
    expect([wrong.status, wrong.words]).toEqual([422, expect.stringContaining('The code does not fit.')])
    expect((await signIn(world.person(), email)).location).toBe('/me')

    const { key, recoveryCodes } = await setUpFactor(ada, world)
    expect(recoveryCodes).toHaveLength(10)
    expect(await isSignedIn(ada)).toBe(true)
    expect(await isSignedIn(other)).toBe(false)
    const person = world.person()
    const halfway = await signIn(person, email)
    expect(halfway.location).toBe('/sign-in/factor?continue=%2Fme')
    // The code that set it up is spent (78).
    expect((await person.submit(await person.follow(halfway), { code: codeOf(key, world) })).status).toBe(422)
    world.clock.advance(30_000)
    expect((await person.submit(await person.follow(halfway), { code: codeOf(key, world) })).location).toBe('/me')
  })

  it('recovery codes are made anew, and the old ones are void', async () => {
    const { recoveryCodes } = await setUpFactor(ada, world)
    const page = await ada.get('/me/second-factor')
    const renewed = await ada.submit(page, {}, '/me/second-factor/codes')
    const fresh = [...renewed.text.matchAll(/<code>([0-9a-z-]{19})<\/code>/g)].map(([, code = '']) => code)
    expect(fresh).toHaveLength(10)
    const person = world.person()
    const halfway = await person.follow(await signIn(person, email))
    expect((await person.submit(halfway, { code: recoveryCodes[0] ?? '' })).status).toBe(422)
    expect((await person.submit(halfway, { code: fresh[0] ?? '' })).location).toBe('/me')
  })

  it('a second factor is turned off by whoever has just given it', async () => {
    await setUpFactor(ada, world)
    const answer = await ada.submit(await ada.get('/me/second-factor'), {}, '/me/second-factor/off')
    expect(answer.location).toBe('/me?done=factor-off')
    expect((await signIn(world.person(), email)).location).toBe('/me')
    expect(await world.actions()).toEqual(
      expect.arrayContaining(['user.second_factor_set', 'user.second_factor_removed']),
    )
  })

  it('one session is ended, or all others', async () => {
    const others = [await second(), await second(), await second()]
    const page = await ada.get('/me')
    const [, id = ''] = /name="id" value="(ses_[^"]+)"/.exec(page.text) ?? []
    const token = /name="form" value="([^"]+)"/.exec(page.text)?.[1] ?? ''
    expect((await ada.post('/me/sessions/end', { form: token, id })).location).toBe('/me?done=session')
    const left = await Promise.all(others.map(isSignedIn))
    expect(left.filter(Boolean)).toHaveLength(2)
    expect((await ada.post('/me/sessions/end', { form: token })).location).toBe('/me?done=sessions')
    expect(await Promise.all(others.map(isSignedIn))).toEqual([false, false, false])
    expect(await isSignedIn(ada)).toBe(true)
    expect((await world.actions()).filter((action) => action === 'session.ended').length).toBeGreaterThanOrEqual(3)
  })

  it('a session of somebody else is not ended', async () => {
    const eve = await world.member('eve@example.com')
    const page = await ada.get('/me')
    const token = /name="form" value="([^"]+)"/.exec((await eve.get('/me')).text)?.[1] ?? ''
    await second()
    const [, id = ''] = /name="id" value="(ses_[^"]+)"/.exec((await ada.get('/me')).text) ?? []
    await eve.post('/me/sessions/end', { form: token, id })
    expect((await ada.get('/me')).text).toContain(id)
    // Nor does a form of somebody else's session do anything in this one (13).
    const foreign = await ada.post('/me/sessions/end', { form: token, id })
    expect([foreign.status, page.status]).toEqual([403, 200])
  })

  it('signing out ends the session, asks first, and is no link', async () => {
    const secret = ada.cookies.get('postern_session') ?? ''
    const page = await ada.get('/sign-out')
    expect([page.status, await isSignedIn(ada)]).toEqual([200, true])
    expect((await ada.post('/sign-out', { form: 'x' })).status).toBe(403)
    const answer = await ada.submit(page, {})
    expect(answer.location).toBe('/sign-out')
    expect((await ada.follow(answer)).words).toContain('You are signed out')
    ada.cookies.set('postern_session', secret)
    expect(await isSignedIn(ada)).toBe(false)
  })

  it('a disabled person is out at once, and hears what everybody hears', async () => {
    const user = (await world.store.people.proofsOf({ email }))?.user.id ?? ''
    const by = {
      actor: { kind: 'system', id: 'tests' },
      at: world.clock.now(),
      ip: null,
      userAgent: null,
      requestId: null,
    } as const
    await world.store.people.setUserState({ user, state: 'disabled', by })
    expect(await isSignedIn(ada)).toBe(false)
    const answer = await signIn(world.person(), email)
    expect([answer.status, answer.words]).toEqual([422, expect.stringContaining('or the password is wrong')])
  })

  it.each([
    '/me/password',
    '/me/second-factor',
    '/me/second-factor/codes',
    '/me/second-factor/off',
    '/me/sessions/end',
    '/me/grants/withdraw',
  ])('POST %s needs a form of this session (75)', async (path) => {
    const good = /name="form" value="([^"]+)"/.exec((await ada.get('/me')).text)?.[1] ?? ''
    for (const [form, site] of [
      ['', 'same-origin'],
      ['x.y', 'same-origin'],
      [good, 'cross-site'],
    ] as const) {
      const answer = await ada.post(path, { form, password: another, repeated: another }, { 'sec-fetch-site': site })
      expect([path, answer.status, answer.title]).toEqual([path, 403, 'This form could not be taken · acme'])
    }
    expect((await signIn(world.person(), email)).location).toBe('/me')
  })
})
