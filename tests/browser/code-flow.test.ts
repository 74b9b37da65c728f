import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { aClient, asking, startWhole, verifier, type Whole } from '../identity/support/whole.ts'
import { password } from '../identity/support/world.ts'
import type { Holder } from '../support/issue.ts'
import { inBody, post } from '../support/oauth.ts'
import { barriers, launchChromium, openWindow } from './support/chromium.ts'
import { type Site, startSite } from './support/site.ts'

describe('the code flow in Chromium', () => {
  let whole: Whole
  let browser: Browser
  let app: Site
  let client: Holder
  let redirectUri: string
  beforeAll(async () => {
    whole = await startWhole()
    browser = await launchChromium('--host-resolver-rules=MAP app.example 127.0.0.1')
    app = await startSite({ name: 'app.example' })
    redirectUri = `https://app.example:${app.port}/cb`
    app.show('/cb', { body: '<h1>Welcome back</h1>' })
    const vendor = await whole.account('Insight Ltd')
    client = await aClient(whole, vendor.project, { redirect_uris: [redirectUri] })
    const engines = await whole.account('Analytical Engines')
    const other = await whole.account('Difference & Co')
    const ada = await whole.member(engines.id, 'ada@example.com')
    await whole.join(ada, other.id, 'ada@example.com', 'developer')
    await whole.member(engines.id, 'viewer@example.com', 'viewer')
    await whole.member(engines.id, 'grace@example.com')
  })
  afterAll(async () => {
    await browser.close()
    await app.close()
    await whole.stop()
  })

  const home = () => whole.server.console
  const path = (more = {}) => home() + asking(client, { redirect_uri: redirectUri, ...more })
  const open = (options = {}) => openWindow(browser, { ignoreHTTPSErrors: true, ...options })
  /** Once the browser is there: it may have been sent on more than once. */
  const titled = async (page: Page, title: string) => {
    await expect.poll(() => page.title().catch(() => ''), { timeout: 10_000 }).toBe(`${title} · acme`)
  }
  const signIn = async (page: Page, email: string) => {
    await page.fill('#email', email)
    await page.fill('#password', password)
    await page.click('button')
  }

  it('goes from the client to the API without a script, with nothing foreign loaded and nothing blocked', async () => {
    const { context, page, complaints, origins } = await open({ javaScriptEnabled: false })
    const request = path({ scope: 'orders.read stock.read' })
    app.show('/', { body: `<a href="${request.replaceAll('&', '&amp;')}">Connect</a>` })
    await page.goto(`https://app.example:${app.port}/`)
    await page.click('text=Connect')
    await titled(page, 'Sign in')
    await signIn(page, 'ada@example.com')
    await titled(page, 'Choose a project')
    await page.locator('input[name=place]').first().check()
    await page.click('button[value=choose]')
    await titled(page, 'Orders Insight asks for access')
    await page.uncheck('input[value="stock.read"]')
    await page.click('button[value=allow]')
    await page.waitForURL(`${redirectUri}?**`)
    expect(await page.textContent('h1')).toBe('Welcome back')
    expect(complaints).toEqual([])
    expect([...origins].toSorted()).toEqual([home(), `https://app.example:${app.port}`].toSorted())

    const { searchParams } = new URL(page.url())
    expect([searchParams.get('state'), searchParams.get('iss')]).toEqual(['a state', home()])
    expect(app.asked.at(-1)?.headers.referer).toBeUndefined()
    const tokens = await post(`${home()}/oauth/token`, {
      grant_type: 'authorization_code',
      code: searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
      ...inBody(client),
    })
    expect([tokens.status, tokens.body.scope]).toEqual([200, 'orders.read'])
    const headers = { authorization: `Bearer ${tokens.body.access_token}` }
    expect((await fetch(`${whole.server.own[0]}/v1/orders/7`, { headers })).status).toBe(200)
    await context.close()
  })

  it('leads from the sign-in straight back to the client where there is nothing to ask', async () => {
    const { context, page, complaints } = await open({ javaScriptEnabled: false })
    const request = path({ scope: 'orders.read' })
    await page.goto(request)
    await signIn(page, 'grace@example.com')
    await titled(page, 'Orders Insight asks for access')
    await page.click('button[value=allow]')
    await page.waitForURL(`${redirectUri}?**`)
    await context.clearCookies()
    await page.goto(request)
    await signIn(page, 'grace@example.com')
    await page.waitForURL(`${redirectUri}?code=**`)
    expect(complaints).toEqual([])
    await context.close()
  })

  it('needs the client in the policy for that: Chromium holds each redirect against it', async () => {
    const { context, page, complaints } = await open()
    const strict = await startSite()
    strict.show('/', {
      headers: { 'content-security-policy': "form-action 'self'" },
      body: '<form method="post" action="/go"><button>Go</button></form>',
    })
    strict.show('/go', { status: 303, headers: { location: redirectUri } })
    await page.goto(`http://127.0.0.1:${strict.port}/`)
    await page.click('button', { noWaitAfter: true })
    await expect.poll(() => complaints.join(' ')).toContain('form-action')
    await strict.close()
    await context.close()
  })

  it('leads back to an app on [::1], which no policy can name', async () => {
    const native = await startSite({ host: '::1' })
    native.show('/cb', { body: '<h1>Back in the app</h1>' })
    const { project } = await whole.account('Native')
    const app6 = await aClient(whole, project, { type: 'public', redirect_uris: ['http://[::1]/cb'] })
    const { context, page, complaints } = await open({ javaScriptEnabled: false })
    await page.goto(home() + asking(app6, { redirect_uri: `http://[::1]:${native.port}/cb` }))
    await signIn(page, 'grace@example.com')
    await titled(page, 'Orders Insight asks for access')
    await page.click('button[value=allow]')
    await page.waitForURL(`http://[::1]:${native.port}/cb?code=**`)
    expect([await page.textContent('h1'), complaints]).toEqual(['Back in the app', []])
    await native.close()
    await context.close()
  })

  it('leads back to the scheme of an app', async () => {
    const { project } = await whole.account('Mobile')
    const mobile = await aClient(whole, project, { type: 'public', redirect_uris: ['com.example.app:/cb'] })
    const { context, page, complaints } = await open({ javaScriptEnabled: false })
    await page.goto(home() + asking(mobile, { redirect_uri: 'com.example.app:/cb' }))
    await signIn(page, 'grace@example.com')
    await titled(page, 'Orders Insight asks for access')
    const answered = page.waitForResponse((response) => response.url().endsWith('/oauth/consent'))
    await page.click('button[value=allow]', { noWaitAfter: true })
    expect((await answered).headers()['location']).toMatch(/^com\.example\.app:\/cb\?code=/)
    expect(complaints.filter((text) => text.includes('Content Security Policy'))).toEqual([])
    await context.close()
  })

  it.each([
    ['ada@example.com', { prompt: 'select_account' }, 'Choose a project'],
    ['grace@example.com', { prompt: 'consent' }, 'Orders Insight asks for access'],
    ['viewer@example.com', { scope: 'orders.write' }, 'Nothing to allow'],
    ['viewer@example.com', { scope: 'orders.read' }, 'Orders Insight asks for access'],
    [null, { redirect_uri: 'https://evil.example/' }, null],
  ])('has no barrier on its pages, light and dark: %s, %j', async (email, more, title) => {
    const { context, page, complaints } = await open({ colorScheme: 'light' })
    await page.goto(path(more))
    if (email !== null) await signIn(page, email)
    if (title !== null) await titled(page, title)
    expect(await barriers(page)).toEqual([])
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 360, height: 740 })
    expect(await barriers(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
    expect(complaints).toEqual([])
    await context.close()
  })

  it('can be gone through by the keyboard alone', async () => {
    const { context, page } = await open({ javaScriptEnabled: false })
    await page.goto(path({ prompt: 'consent', scope: 'orders.read orders.write' }))
    await page.keyboard.type('grace@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Enter')
    await titled(page, 'Orders Insight asks for access')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    expect(await page.locator('input[type=checkbox]:focus:not(:checked)').count()).toBe(1)
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Refuse')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Allow')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${redirectUri}?code=**`)
    await context.close()
  })

  describe('against somebody else’s page', () => {
    let evil: Site
    beforeAll(async () => {
      evil = await startSite()
    })
    afterAll(async () => await evil.close())
    /** Another site than 127.0.0.1, for cookies and for Fetch Metadata. */
    const at = (where: string) => `http://localhost:${evil.port}${where}`

    it('shows nothing in a frame (7)', async () => {
      const { context, page } = await open()
      await page.goto(path({ prompt: 'consent' }))
      await signIn(page, 'grace@example.com')
      await titled(page, 'Orders Insight asks for access')
      for (const target of [path({ prompt: 'consent' }), `${home()}/sign-in`, `${home()}/me`]) {
        evil.show('/frame', { body: `<iframe src="${target.replaceAll('&', '&amp;')}"></iframe>` })
        await page.goto(at('/frame'))
        const [, frame] = page.frames()
        await expect.poll(() => frame?.url()).toBe('chrome-error://chromewebdata/')
      }
      await context.close()
    })

    it.each([
      '/oauth/consent',
      '/sign-in',
      '/sign-out',
      '/me/sessions/end',
      '/me/second-factor/off',
      '/me/grants/withdraw',
    ])('takes no form at %s, not even with the very field of a page that is open (13, 75)', async (target) => {
      const { context, page } = await open()
      await page.goto(path({ prompt: 'consent' }))
      await signIn(page, 'grace@example.com')
      await titled(page, 'Orders Insight asks for access')
      const form = await page.inputValue('input[name=form]')
      const fields = { form, decision: 'allow', scope: 'orders.read', email: 'eve@example.com', password: 'x' }
      const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`)
      evil.show('/form', {
        body: `<form method="post" action="${home()}${target}">${inputs.join('')}<button>Win a prize</button></form>`,
      })
      const other = await context.newPage()
      await other.goto(at('/form'))
      const answered = other.waitForResponse(`${home()}${target}`)
      await other.click('button')
      const answer = await answered
      // Either it is refused as it is, or it came without the cookie, from nobody.
      const location = answer.headers()['location'] ?? ''
      const nobodys = location.startsWith('/sign-in?') || location === '/sign-out'
      expect([answer.status(), answer.status() === 403 || nobodys]).toEqual([answer.status(), true])
      await page.goto(`${home()}/me`)
      await titled(page, 'Your account')
      await context.close()
    })

    it('leaves no hold of its window to who opened it (76)', async () => {
      const { context, page } = await open()
      evil.show('/opener', { body: `<button onclick="it = window.open('${home()}/sign-in')">Open</button>` })
      await page.goto(at('/opener'))
      await page.click('button', { noWaitAfter: true })
      // To whoever has opened it, a window of another group of browsing contexts is as good as closed.
      await expect.poll(() => page.evaluate('it.closed'), { timeout: 10_000 }).toBe(true)
      await context.close()
    })
  })
})
