import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { aPerson, type Person } from './support/person.ts'
import { codeOf, password, setUpFactor, signIn, startWorld, type World } from './support/world.ts'

describe('guessing (79)', () => {
  let world: World
  let key: string
  let laptop: Person
  beforeAll(async () => {
    world = await startWorld()
    laptop = await world.member('ada@example.com')
    key = (await setUpFactor(laptop, world)).key
    await world.member('joan@example.com')
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })
  const from = (ip: string) => aPerson(world.origin, { 'x-forwarded-for': ip, 'x-forwarded-proto': 'https' })

  it.each(['joan@example.com', 'nobody@example.com'])('costs more and more time, for %s alike', async (email) => {
    world.clock.advance(24 * 3_600_000)
    const guesser = from('203.0.113.1')
    const page = await guesser.get('/sign-in')
    const guess = () => guesser.submit(page, { email, password: 'a wrong password' })
    for (let n = 0; n < 5; n++) expect((await guess()).status).toBe(422)
    for (const seconds of [1, 2, 4, 8, 16]) {
      const refused = await guess()
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, String(seconds)])
      world.clock.advance(seconds * 1000)
      expect((await guess()).status).toBe(422)
    }
    // The right password waits as well, so that waiting tells nothing.
    expect((await guesser.submit(page, { email, password })).status).toBe(429)
    expect((await signIn(from('203.0.113.2'), 'joan@example.com')).location).toBe('/me')
  })

  it('from many networks locks out neither a known browser, nor password and code together', async () => {
    world.clock.advance(24 * 3_600_000)
    for (let n = 0; n < 100; n++) {
      const answer = await signIn(from(`2001:db8:${(n % 50).toString(16)}::1`), 'ada@example.com', 'a wrong password')
      expect([422, 429]).toContain(answer.status)
    }
    // A stranger, wherever they are, is asked for the code as well; the password is not looked at before.
    const elsewhere = from('198.51.100.7')
    const asked = await signIn(elsewhere, 'ada@example.com')
    expect([asked.status, asked.words]).toEqual([429, expect.stringContaining('Enter the code of your second factor')])
    const wrongCode = await elsewhere.submit(asked, { password, code: '000000' })
    const wrongPassword = await elsewhere.submit(asked, { password: 'a wrong password', code: codeOf(key, world) })
    expect([wrongCode.status, wrongPassword.status]).toEqual([422, 422])
    expect(wrongCode.words).toBe(wrongPassword.words)
    const right = await elsewhere.submit(asked, { password, code: codeOf(key, world) })
    expect(right.location).toBe('/me')
    expect((await elsewhere.get('/me')).status).toBe(200)

    // The browser that she has signed in with before is asked as ever.
    laptop.cookies.delete('postern_session')
    expect((await signIn(laptop, 'ada@example.com')).location).toBe('/sign-in/factor?continue=%2Fme')
  })

  it('says the same of an address that nobody has, however often it is guessed at', async () => {
    for (let n = 0; n < 40; n++) await signIn(from(`2001:db8:1:${n.toString(16)}::1`), 'nobody@example.com', 'wrong')
    const asked = await signIn(from('198.51.100.9'), 'nobody@example.com')
    expect([asked.status, asked.words]).toEqual([429, expect.stringContaining('Enter the code of your second factor')])
    const refused = await from('198.51.100.9').submit(asked, { password, code: '123456' })
    expect(refused.status).toBe(403)
  })

  it('does not let in without a second factor where a code is asked for', async () => {
    world.clock.advance(24 * 3_600_000)
    for (let n = 0; n < 40; n++) await signIn(from(`2001:db8:2:${n.toString(16)}::1`), 'joan@example.com', 'wrong')
    const elsewhere = from('198.51.100.8')
    const asked = await signIn(elsewhere, 'joan@example.com')
    const refused = await elsewhere.submit(asked, { password, code: '123456' })
    expect([refused.status, refused.words]).toEqual([422, expect.stringContaining('or the code is wrong')])
  })

  it('takes a browser that is known for the person who signed in with it alone', async () => {
    world.clock.advance(24 * 3_600_000)
    for (let n = 0; n < 40; n++) await signIn(from(`2001:db8:3:${n.toString(16)}::1`), 'joan@example.com', 'wrong')
    const guesser = from('198.51.100.10')
    guesser.cookies.set('postern_device', laptop.cookies.get('postern_device') ?? '')
    expect((await signIn(guesser, 'joan@example.com')).status).toBe(429)
    guesser.cookies.set('postern_device', 'a.AAAA')
    expect((await signIn(guesser, 'ada@example.com')).status).toBe(303)
  })

  it('is refused with 503 where more passwords come than can be looked at, and counts nothing', async () => {
    world.clock.advance(24 * 3_600_000)
    const people = Array.from({ length: 60 }, (_, n) => from(`2001:db8:4:${n.toString(16)}::1`))
    const pages = await Promise.all(people.map((person) => person.get('/sign-in')))
    const answers = await Promise.all(
      people.map((person, n) => {
        const [page] = pages.slice(n)
        return person.submit(page ?? fail(), { email: `person${n}@example.com`, password: 'a wrong password' })
      }),
    )
    const busy = answers.filter(({ status }) => status === 503)
    expect(busy.length).toBeGreaterThan(0)
    expect(answers.filter(({ status }) => status === 422).length).toBe(60 - busy.length)
    expect(busy[0]?.headers.get('retry-after')).toBe('5')
  })
})

function fail(): never {
  throw new Error('a page is missing')
}
