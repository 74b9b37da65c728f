import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Holder } from '../support/issue.ts'
import { inBody, post } from '../support/oauth.ts'
import type { Person } from './support/person.ts'
import { aClient, asking, redirectUri, startWhole, told, verifier, type Whole } from './support/whole.ts'
import { signIn } from './support/world.ts'

describe('a client that asks for access', () => {
  let whole: Whole
  let account: { readonly id: string; readonly project: string }
  let client: Holder
  let ada: Person
  beforeAll(async () => {
    whole = await startWhole()
    account = await whole.account('Analytical Engines')
    const vendor = await whole.account('Insight Ltd')
    client = await aClient(whole, vendor.project)
    ada = await whole.member(account.id, 'ada@example.com')
  })
  afterAll(async () => {
    await whole.stop()
  })
  const iss = () => whole.server.console
  const redeem = async (code: string, holder = client) =>
    await post(`${whole.server.console}/oauth/token`, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...inBody(holder),
    })

  it('waits until somebody has signed in, is shown with what it asks for, and gets what was allowed', async () => {
    const person = whole.person()
    const asked = await person.get(asking(client, { scope: 'orders.read stock.read' }))
    expect([asked.status, asked.location?.startsWith('/sign-in?continue=%2Foauth%2Fauthorize%3F')]).toEqual([303, true])
    const page = await person.follow(asked)
    expect(page.words).toContain('to go on to Orders Insight.')
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self' https://app.example;")
    const answer = await person.submit(page, { email: 'ada@example.com', password: 'a wombat in violet velvet' })
    const consent = await person.follow(answer)
    expect(consent.title).toBe('Orders Insight asks for access · acme')
    for (const text of [
      'of Insight Ltd',
      'app.example',
      'Analytical Engines / default',
      'Until you withdraw it, at most 90 days',
      'Read orders',
      'orders.read',
      'Read stock',
      'Signed in as ada@example.com',
    ])
      expect(consent.words).toContain(text)
    expect(consent.words).not.toContain('orders.write')
    const back = await person.submit(consent, { decision: 'allow' })
    expect(back.status).toBe(303)
    expect(told(back.location)).toEqual({ code: expect.stringMatching(/^acme_ac_/), state: 'a state', iss: iss() })
    const tokens = await redeem(told(back.location)['code'] ?? '')
    expect([tokens.status, tokens.body]).toMatchObject([200, { token_type: 'Bearer', scope: 'orders.read stock.read' }])
    const order = await fetch(`${whole.server.own[0]}/v1/orders/7`, {
      headers: { authorization: `Bearer ${tokens.body.access_token}` },
    })
    expect(order.status).toBe(200)
    expect((await person.get('/me')).words).toContain('Orders Insight Analytical Engines / default')
  })

  it('gets of what it asked for what is ticked', async () => {
    const consent = await ada.get(asking(client, { scope: 'orders.read orders.write', prompt: 'consent' }))
    const back = await ada.submit(consent, { decision: 'allow', scope: 'orders.read' })
    expect((await redeem(told(back.location)['code'] ?? '')).body.scope).toBe('orders.read')
    const none = await ada.submit(consent, { decision: 'allow', scope: [] })
    expect([none.status, none.words]).toEqual([422, expect.stringContaining('Nothing is ticked.')])
    const more = await ada.submit(consent, { decision: 'allow', scope: ['orders.read', 'stock.read', '*'] })
    expect((await redeem(told(more.location)['code'] ?? '')).body.scope).toBe('orders.read')
  })

  it('hears that it was refused', async () => {
    const consent = await ada.get(asking(client, { prompt: 'consent' }))
    const back = await ada.submit(consent, { decision: 'refuse' })
    expect([back.status, told(back.location)]).toEqual([
      303,
      { error: 'access_denied', error_description: expect.any(String), state: 'a state', iss: iss() },
    ])
  })

  it('is told of nothing where client or redirect URI are not to be trusted, and nobody is sent anywhere (1, 4, 5)', async () => {
    const wrong = [
      asking({ ...client, publicId: 'nobody' }),
      asking(client, { client_id: undefined }),
      asking(client, { redirect_uri: 'https://evil.example/cb' }),
      asking(client, { redirect_uri: `${redirectUri}/..` }),
      asking(client, { redirect_uri: [redirectUri, redirectUri] }),
    ]
    for (const path of wrong) {
      for (const person of [ada, whole.person()]) {
        const page = await person.get(path)
        expect([path, page.location, page.status >= 400]).toEqual([path, null, true])
        expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
        expect(page.text).not.toContain('evil.example')
      }
    }
    const spoiled = await ada.get(asking(client, { response_type: 'token' }))
    expect(told(spoiled.location)).toMatchObject({ error: 'unsupported_response_type', state: 'a state', iss: iss() })
  })

  describe('for a decision that is bound to its session (13)', () => {
    const allow = { decision: 'allow' }

    it('refuses what another person, another session or nobody sends', async () => {
      const consent = await ada.get(asking(client, { prompt: 'consent' }))
      const eve = await whole.member(account.id, `eve${whole.clock.now()}@example.com`)
      const same = whole.person()
      await signIn(same, 'ada@example.com')
      for (const person of [eve, same, whole.person()]) {
        const refused = await person.submit(consent, allow)
        expect([refused.status, refused.location, refused.title]).toEqual([
          403,
          null,
          'This form could not be taken · acme',
        ])
      }
      expect((await ada.submit(consent, allow)).status).toBe(303)
    })

    it('refuses what another site sends, and a field that was altered or belongs to another form', async () => {
      const consent = await ada.get(asking(client, { prompt: 'consent' }))
      const { fields } = consent.form()
      const form = fields.find(([name]) => name === 'form')?.[1] ?? ''
      const sent = { form, scope: 'orders.read', ...allow }
      const other = /name="form" value="([^"]+)"/.exec((await ada.get('/me/password')).text)?.[1] ?? ''
      for (const site of ['cross-site', 'same-site', 'none'])
        expect((await ada.post('/oauth/consent', sent, { 'sec-fetch-site': site })).status).toBe(403)
      for (const altered of ['', `${form}A`, form.slice(0, -4), other])
        expect((await ada.post('/oauth/consent', { ...sent, form: altered })).status).toBe(403)
      expect((await ada.post('/oauth/consent', sent)).status).toBe(303)
    })

    it('refuses it after an hour, and shows the same request again', async () => {
      const path = asking(client, { prompt: 'consent' })
      const consent = await ada.get(path)
      whole.clock.advance(20 * 60_000)
      await ada.get('/me')
      whole.clock.advance(20 * 60_000)
      await ada.get('/me')
      whole.clock.advance(20 * 60_000)
      const late = await ada.submit(consent, allow)
      expect([late.status, late.location, late.title]).toEqual([422, null, 'This had been open for too long · acme'])
      expect(late.text).toContain(`href="${path.replaceAll('&', '&amp;')}"`)
    })

    it('refuses it after signing out', async () => {
      const person = whole.person()
      await signIn(person, 'ada@example.com')
      const consent = await person.get(asking(client, { prompt: 'consent' }))
      await person.submit(await person.get('/sign-out'), {})
      expect((await person.submit(consent, allow)).status).toBe(403)
    })

    it('reads the request again: what was withdrawn meanwhile is not granted', async () => {
      const removed = await aClient(whole, (await whole.account('Gone Ltd')).project)
      const consent = await ada.get(asking(removed))
      await whole.server.api('POST', `/credentials/${removed.id}/revoke`, {})
      const refused = await ada.submit(consent, allow)
      expect([refused.location, refused.status >= 400]).toEqual([null, true])
    })
  })

  it('is asked about for the project that the person chooses, of those where they may allow it', async () => {
    const other = await whole.account('Difference & Co')
    const project = await whole.server.api('POST', `/accounts/${other.id}/projects`, {
      name: 'Staging',
      environment: 'sandbox',
    })
    const grace = await whole.member(other.id, 'grace@example.com', 'developer')
    const viewed = await whole.account('Viewed Only', 'small')
    await whole.join(grace, viewed.id, 'grace@example.com', 'viewer')
    const forbidden = await whole.account('No Plan', 'none')
    await whole.join(grace, forbidden.id, 'grace@example.com', 'owner')

    const choice = await grace.get(asking(client, { scope: 'orders.write stock.read' }))
    expect(choice.title).toBe('Choose a project · acme')
    expect(choice.words).toContain('Difference & Co default Staging sandbox')
    for (const name of ['Viewed Only', 'No Plan', 'Analytical']) expect(choice.words).not.toContain(name)
    const consent = await grace.submit(choice, { decision: 'choose', place: `${other.id}/${project.body.project.id}` })
    expect(consent.words).toContain('Difference & Co / Staging sandbox')
    // A developer may allow orders, and not the stock.
    expect(consent.words).toContain('orders.write')
    expect(consent.words).not.toContain('stock.read')
    expect((await grace.submit(consent, { decision: 'back' })).title).toBe('Choose a project · acme')
    const back = await grace.submit(consent, { decision: 'allow' })
    expect((await redeem(told(back.location)['code'] ?? '')).body.scope).toBe('orders.write')
  })

  it('gets nothing for a project of others, whatever the form says', async () => {
    const joan = await whole.member((await whole.account('Joan')).id, 'joan@example.com')
    const choice = await joan.get(asking(client, { prompt: 'select_account' }))
    expect(choice.title).toBe('Choose a project · acme')
    for (const place of [`${account.id}/${account.project}`, 'x', '/', `${account.id}/`]) {
      const answer = await joan.submit(choice, { decision: 'choose', place })
      expect([answer.location, answer.title]).toEqual([null, 'Choose a project · acme'])
    }
  })

  it('hears access_denied, and the person why, where nothing may be allowed', async () => {
    const viewer = await whole.member(account.id, 'viewer@example.com', 'viewer')
    const page = await viewer.get(asking(client, { scope: 'orders.write' }))
    expect([page.status, page.title]).toEqual([403, 'Nothing to allow · acme'])
    expect(page.words).toContain('Your role does not include what is asked for.')
    const back = await viewer.submit(page, { decision: 'refuse' })
    expect(told(back.location)).toMatchObject({ error: 'access_denied', state: 'a state', iss: iss() })

    const poor = await whole.account('Poor', 'none')
    const owner = await whole.member(poor.id, 'poor@example.com')
    expect((await owner.get(asking(client))).words).toContain('None of your accounts has a plan that includes it.')
    await whole.server.api('POST', `/accounts/${poor.id}/suspend`, { reason: 'test' })
    expect((await owner.get(asking(client))).words).toContain('You are not a member of any active account.')
  })

  describe('that says how people are to be asked', () => {
    it('none: is answered without a page', async () => {
      const stranger = await whole.person().get(asking(client, { prompt: 'none' }))
      expect(told(stranger.location)).toMatchObject({ error: 'login_required', state: 'a state', iss: iss() })
      const mary = await whole.member((await whole.account('Mary')).id, 'mary@example.com')
      const first = await mary.get(asking(client, { prompt: 'none', scope: 'orders.read' }))
      expect(told(first.location)).toMatchObject({ error: 'consent_required' })
      await mary.submit(await mary.get(asking(client, { scope: 'orders.read' })), { decision: 'allow' })
      const second = await mary.get(asking(client, { prompt: 'none', scope: 'orders.read' }))
      expect(told(second.location)).toHaveProperty('code')
      const wider = await mary.get(asking(client, { prompt: 'none', scope: 'orders.read orders.write' }))
      expect(told(wider.location)).toMatchObject({ error: 'consent_required' })
    })

    it('login: asks for the password of whoever is signed in, once', async () => {
      whole.clock.advance(60_000)
      const asked = await ada.get(asking(client, { prompt: 'login consent' }))
      expect(asked.location).toMatch(/^\/sign-in\?again=1&continue=/)
      const page = await ada.follow(asked)
      expect(page.title).toBe('Confirm that it is you · acme')
      const consent = await ada.follow(await ada.submit(page, { password: 'a wombat in violet velvet' }))
      expect(consent.title).toBe('Orders Insight asks for access · acme')
    })

    it('select_account: lets people choose, and sign in as somebody else', async () => {
      const choice = await ada.get(asking(client, { prompt: 'select_account' }))
      expect(choice.title).toBe('Choose a project · acme')
      const [, other = ''] = /href="(\/sign-in\?other=1[^"]+)"/.exec(choice.text) ?? []
      const page = await ada.get(other.replaceAll('&amp;', '&'))
      expect([page.title, page.form().fields.find(([name]) => name === 'email')?.[1]]).toEqual(['Sign in · acme', ''])
    })
  })

  describe('once more (14)', () => {
    it('is not asked about again where a secret proves it, and a grant covers it', async () => {
      const path = asking(client, { scope: 'orders.read' })
      const first = await ada.get(path)
      if (first.location === null) await ada.submit(first, { decision: 'allow' })
      const second = await ada.get(path)
      expect([second.status, told(second.location)]).toEqual([
        303,
        expect.objectContaining({ code: expect.any(String) }),
      ])
      expect((await ada.get(asking(client, { scope: 'orders.read', prompt: 'consent' }))).title).toContain(
        'asks for access',
      )
    })

    it.each([
      ['a public client', { type: 'public' }, redirectUri],
      ['a loopback address', { redirect_uris: ['http://127.0.0.1/cb'] }, 'http://127.0.0.1:49152/cb'],
      ['a scheme of its own', { type: 'public', redirect_uris: ['com.example.app:/cb'] }, 'com.example.app:/cb'],
    ])('is asked about every time where it is %s', async (_, oauth, to) => {
      const anybody = await aClient(whole, account.project, oauth)
      const path = asking(anybody, { scope: 'orders.read', redirect_uri: to })
      for (let time = 0; time < 3; time++) {
        const consent = await ada.get(path)
        expect([consent.status, consent.title]).toEqual([200, 'Orders Insight asks for access · acme'])
        expect(told((await ada.submit(consent, { decision: 'allow' })).location, to)).toHaveProperty('code')
      }
      expect(told((await ada.get(`${path}&prompt=none`)).location, to)).toMatchObject({ error: 'consent_required' })
    })

    it('is asked about again once the person has withdrawn it, and its token is dead', async () => {
      const mine = await aClient(whole, account.project, {}, { name: 'Mine' })
      const back = await ada.submit(await ada.get(asking(mine, { scope: 'orders.read' })), { decision: 'allow' })
      const tokens = await redeem(told(back.location)['code'] ?? '', mine)
      const call = () =>
        fetch(`${whole.server.own[0]}/v1/orders/7`, {
          headers: { authorization: `Bearer ${tokens.body.access_token}` },
        })
      expect((await call()).status).toBe(200)
      const me = await ada.get('/me')
      const [, grant = ''] = /Mine\s[^]*?name="id" value="(grt_[^"]+)"/.exec(me.text) ?? []
      const token = /name="form" value="([^"]+)"/.exec(me.text)?.[1] ?? ''
      expect((await ada.post('/me/grants/withdraw', { form: token, id: grant })).location).toBe('/me?done=withdrawn')
      const refused = await call()
      expect([refused.status, await refused.json()]).toEqual([
        401,
        expect.objectContaining({ code: 'grant_withdrawn' }),
      ])
      expect((await ada.get(asking(mine, { scope: 'orders.read' }))).title).toContain('asks for access')
    })
  })

  it('may post its request from a page of its own: it becomes a GET, which comes with the cookie', async () => {
    const fields = Object.fromEntries(new URL(asking(client), iss()).searchParams)
    const posted = await ada.post('/oauth/authorize', fields, { 'sec-fetch-site': 'cross-site' })
    expect([posted.status, posted.location?.startsWith('/oauth/authorize?response_type=code&')]).toEqual([303, true])
    const wrong = await ada.post('/oauth/authorize', { ...fields, redirect_uri: 'https://evil.example/' })
    expect([wrong.location, wrong.status >= 400]).toEqual([null, true])
  })

  it('has an address of bounded length, or the person is told', async () => {
    const page = await whole.person().get(asking(client, { more: 'x'.repeat(9000) }))
    expect([page.location, page.status >= 400]).toEqual([null, true])
  })
})
