import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { aPerson } from './support/person.ts'
import { password, setUpFactor, signIn, startWorld, type World } from './support/world.ts'

const dayMs = 86_400_000
const another = 'two wombats in scarlet satin'

describe('an invitation', () => {
  let world: World
  let account: string
  beforeAll(async () => {
    world = await startWorld()
    account = await world.account('Analytical Engines')
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })

  it('is accepted with a name and a password, once', async () => {
    const link = await world.invite(account, 'ada@example.com', 'admin')
    const ada = world.person()
    const page = await ada.get(`/invitation/${link}`)
    expect([page.status, page.title]).toEqual([200, 'Join Analytical Engines · acme'])
    expect(page.words).toContain('You are invited as admin')
    // The secret goes on in the form alone, sealed.
    expect(page.text).not.toContain(link)
    expect(page.form().action).toBe('/invitation')
    const joined = await ada.submit(page, { name: 'Ada', password, repeated: password })
    expect([joined.status, joined.location]).toEqual([303, '/me?done=joined'])
    expect((await ada.follow(joined)).words).toContain('Analytical Engines admin')
    expect(await world.actions()).toEqual(expect.arrayContaining(['user.created', 'user.signed_in']))

    expect((await ada.submit(page, { name: 'Eve', password, repeated: password })).status).toBe(404)
    expect((await world.person().get(`/invitation/${link}`)).status).toBe(404)
    expect((await signIn(world.person(), 'ada@example.com')).location).toBe('/me')
  })

  it('ends after seven days', async () => {
    const link = await world.invite(account, 'grace@example.com')
    const grace = world.person()
    world.clock.advance(7 * dayMs - 1)
    const page = await grace.get(`/invitation/${link}`)
    expect(page.status).toBe(200)
    world.clock.advance(1)
    expect((await grace.submit(page, { name: 'Grace', password, repeated: password })).status).toBe(404)
    expect((await grace.get(`/invitation/${link}`)).title).toBe('This invitation is not open · acme')
  })

  it.each([
    ['no name', { name: ' ' }, 'Enter the name'],
    ['a name that turns the text around', { name: 'Ada\u202egro.elpmaxe' }, 'Enter the name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'Enter the name'],
    ['a short password', { password: 'short', repeated: 'short' }, 'fewer than 15'],
    [
      'the address as password',
      { password: 'hopper@example.com', repeated: 'hopper@example.com' },
      'first that are guessed',
    ],
  ])('is not accepted with %s, and stays open', async (_, fields, text) => {
    const link = await world.invite(account, 'hopper@example.com')
    const person = world.person()
    const good = { name: 'Hopper', password, repeated: password }
    const answer = await person.submit(await person.get(`/invitation/${link}`), { ...good, ...fields })
    expect([answer.status, answer.words]).toEqual([422, expect.stringContaining(text)])
    expect((await person.get(`/invitation/${link}`)).status).toBe(200)
  })

  it('leads whoever has a sign-in already through it, and the secret is in no address', async () => {
    await world.member('mary@example.com')
    const link = await world.invite(account, 'mary@example.com')
    const mary = world.person()
    const page = await mary.get(`/invitation/${link}`)
    expect(page.words).toContain('which somebody signs in with already')
    const [, way = ''] = /href="(\/sign-in\?continue=[^"]+)"/.exec(page.text) ?? []
    expect(way).not.toContain(link)
    const answer = await mary.submit(await mary.get(way), { email: 'mary@example.com', password })
    const offer = await mary.follow(answer)
    expect(offer.words).toContain('signed in as mary@example.com')
    expect((await mary.submit(offer, {})).location).toBe('/me?done=joined')
    expect((await mary.get('/me')).words).toContain('Analytical Engines developer')

    const thief = world.person()
    expect((await thief.get(decodeURIComponent(way.slice('/sign-in?continue='.length)))).status).toBe(404)
  })

  it('is for the address that was invited, whoever opens it', async () => {
    const eve = await world.member('eve@example.com')
    const link = await world.invite(account, 'joan@example.com')
    const page = await eve.get(`/invitation/${link}`)
    expect(page.words).toContain('is for joan@example.com, but you are signed in as eve@example.com')
    expect(page.text).toContain('/sign-in?other=1&amp;continue=')
    // With a form from before they signed in, too.
    const stranger = world.person()
    const open = await stranger.get(`/invitation/${link}`)
    await signIn(stranger, 'eve@example.com')
    const refused = await stranger.submit(open, { name: 'Eve', password, repeated: password })
    expect([refused.status, refused.location]).toEqual([200, null])
    expect(refused.words).toContain('but you are signed in as eve@example.com')
    expect((await eve.get('/me')).words).not.toContain('Analytical Engines')
  })

  it('is accepted in the browser that it was opened in', async () => {
    const link = await world.invite(account, 'barbara@example.com')
    const [person, other] = [world.person(), world.person()]
    const page = await person.get(`/invitation/${link}`)
    await other.get('/sign-in')
    const answer = await other.submit(page, { name: 'Eve', password, repeated: password })
    expect(answer.status).toBe(403)
    expect((await person.get(`/invitation/${link}`)).status).toBe(200)
  })

  it('is not guessed: 20 links of one network that nobody was sent, then one in 30 s', async () => {
    const link = await world.invite(account, 'margaret@example.com')
    const guesser = aPerson(world.origin, { 'x-forwarded-for': '2001:db8:1::1', 'x-forwarded-proto': 'https' })
    for (let guess = 0; guess < 20; guess++)
      expect((await guesser.get(`/invitation/${'x'.repeat(43)}`)).status).toBe(404)
    const refused = await guesser.get(`/invitation/${link}`)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
    expect((await world.person().get(`/invitation/${link}`)).status).toBe(200)
  })
})

describe('a link to set a new password', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })

  it('works once, within an hour, and ends every session', async () => {
    const ada = await world.member('ada@example.com')
    const link = await world.resetLink('ada@example.com')
    const person = world.person()
    world.clock.advance(3_600_000 - 1)
    const page = await person.get(`/reset/${link}`)
    expect([page.status, page.title]).toEqual([200, 'Set a new password · acme'])
    expect(page.text).not.toContain(link)
    const done = await person.submit(page, { password: another, repeated: another })
    expect(done.location).toBe('/sign-in?done=reset')
    expect((await person.follow(done)).words).toContain('Your password is set.')
    expect((await ada.get('/me')).status).toBe(303)
    expect((await signIn(world.person(), 'ada@example.com', another)).location).toBe('/me')
    expect((await person.submit(page, { password, repeated: password })).status).toBe(404)
    expect((await person.get(`/reset/${link}`)).status).toBe(404)
  })

  it('is dead after an hour', async () => {
    await world.member('grace@example.com')
    const link = await world.resetLink('grace@example.com')
    const person = world.person()
    const page = await person.get(`/reset/${link}`)
    world.clock.advance(3_600_000)
    expect((await person.submit(page, { password: another, repeated: another })).status).not.toBe(303)
    expect((await person.get(`/reset/${link}`)).title).toBe('This link is not good any more · acme')
    expect((await signIn(world.person(), 'grace@example.com')).location).toBe('/me')
  })

  it('is no way around the second factor', async () => {
    await setUpFactor(await world.member('joan@example.com'), world)
    const link = await world.resetLink('joan@example.com')
    const person = world.person()
    await person.submit(await person.get(`/reset/${link}`), { password: another, repeated: another })
    expect((await signIn(person, 'joan@example.com', another)).location).toBe('/sign-in/factor?continue=%2Fme')
  })

  it('stays open where the password is not taken', async () => {
    await world.member('mary@example.com')
    const link = await world.resetLink('mary@example.com')
    const person = world.person()
    const page = await person.get(`/reset/${link}`)
    const short = await person.submit(page, { password: 'short', repeated: 'short' })
    expect([short.status, short.words]).toEqual([422, expect.stringContaining('fewer than 15')])
    expect((await person.submit(short, { password: another, repeated: another })).location).toBe('/sign-in?done=reset')
  })
})
