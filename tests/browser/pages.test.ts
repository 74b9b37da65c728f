import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { password, setUpFactor, signIn, startWorld, type World } from '../identity/support/world.ts'
import { barriers, launchChromium, openWindow, type Window } from './support/chromium.ts'

const link = 'x'.repeat(43)

describe('people’s pages in Chromium', () => {
  let world: World
  let browser: Browser
  let account: string
  beforeAll(async () => {
    world = await startWorld()
    browser = await launchChromium()
    account = await world.account('Analytical Engines')
    await world.member('ada@example.com', { account })
    const joan = await world.member('joan@example.com', { account })
    await setUpFactor(joan, world)
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await browser.close()
    await world.stop()
  })

  const bring = async ({ context }: Window, email: string) => {
    const person = world.person()
    await signIn(person, email)
    await context.addCookies([...person.cookies].map(([name, value]) => ({ name, value, url: world.origin })))
  }
  const pages: readonly (readonly [string, (window: Window) => Promise<unknown>])[] = [
    ['sign-in', ({ page }) => page.goto('/sign-in')],
    [
      'a wrong password',
      async ({ page }) => {
        await page.goto('/sign-in')
        await page.fill('#email', 'nobody@example.com')
        await page.fill('#password', 'wrong')
        await page.click('button')
      },
    ],
    [
      'missing fields',
      async ({ page }) => {
        await page.goto('/sign-in')
        await page.click('button')
      },
    ],
    [
      'second factor',
      async (window) => {
        await bring(window, 'joan@example.com')
        await window.page.goto('/sign-in/factor')
      },
    ],
    [
      'recovery code',
      async (window) => {
        await bring(window, 'joan@example.com')
        await window.page.goto('/sign-in/factor?recovery=1')
      },
    ],
    [
      'account',
      async (window) => {
        await bring(window, 'ada@example.com')
        await window.page.goto('/me?done=password')
      },
    ],
    [
      'a new password that is too short',
      async (window) => {
        await bring(window, 'ada@example.com')
        await window.page.goto('/me/password')
        await window.page.fill('#password', 'short')
        await window.page.click('button')
      },
    ],
    [
      'second factor to set up',
      async (window) => {
        await bring(window, 'ada@example.com')
        await window.page.goto('/me/second-factor')
      },
    ],
    [
      'sign out',
      async (window) => {
        await bring(window, 'ada@example.com')
        await window.page.goto('/sign-out')
      },
    ],
    [
      'confirmation',
      async (window) => {
        await bring(window, 'ada@example.com')
        await window.page.goto('/sign-in?again=1')
      },
    ],
    ['signed out', ({ page }) => page.goto('/sign-out')],
    [
      'invitation',
      async ({ page }) => page.goto(`/invitation/${await world.invite(account, 'grace@example.com', 'admin')}`),
    ],
    ['dead invitation', ({ page }) => page.goto(`/invitation/${link}`)],
    ['reset', async ({ page }) => page.goto(`/reset/${await world.resetLink('ada@example.com')}`)],
    ['no page', ({ page }) => page.goto('/me/nothing')],
  ]

  it.each(pages)(
    '%s: no barrier, light and wide or dark and narrow; nothing foreign is loaded, nothing blocked',
    async (_, open) => {
      const opened = await openWindow(browser, { colorScheme: 'light', baseURL: world.origin })
      const { page, complaints, origins } = opened
      await open(opened)
      expect(await barriers(page)).toEqual([])
      await page.emulateMedia({ colorScheme: 'dark' })
      await page.setViewportSize({ width: 360, height: 740 })
      expect(await barriers(page)).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0)
      expect([complaints, [...origins]]).toEqual([[], [world.origin]])
      await opened.context.close()
    },
  )

  it('does not show recovery codes again, by whatever way somebody comes back (81)', async () => {
    const window = await openWindow(browser, { baseURL: world.origin })
    const { page } = window
    const grace = await world.member('mary@example.com', { account })
    await window.context.addCookies([...grace.cookies].map(([name, value]) => ({ name, value, url: world.origin })))
    await page.goto('/me/second-factor')
    const key = ((await page.textContent('.secret')) ?? '').replaceAll(/\s/g, '')
    const { TOTP } = await import('otpauth')
    await page.fill('#code', new TOTP({ secret: key }).generate({ timestamp: world.clock.now() }))
    await page.click('button')
    const codes = await page.locator('.codes code').allTextContents()
    expect(codes).toHaveLength(10)
    await page.click('text=I have kept them')
    const [first = 'no code'] = codes
    // While the page changes it cannot be read; what counts is where that ends.
    const content = () => page.content().catch(() => first)
    await page.goBack().catch(() => null)
    await expect.poll(content).not.toContain(first)
    await page.goForward().catch(() => null)
    await expect.poll(content).not.toContain(first)
    await window.context.close()
  })

  it('can be used by the keyboard alone, and shows where it is', async () => {
    const { context, page } = await openWindow(browser, { baseURL: world.origin, javaScriptEnabled: false })
    await page.goto('/sign-in')
    await page.keyboard.type('ada@example.com')
    await page.keyboard.press('Tab')
    await page.keyboard.type(password)
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Sign in')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/me')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Sign out')
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Change password')
    await page.keyboard.press('Enter')
    await page.waitForURL('**/me/password')
    await page.keyboard.type('short')
    await page.keyboard.press('Enter')
    const summary = page.locator('[role=alert] a')
    expect(await summary.textContent()).toContain('fewer than 15 characters')
    await summary.press('Enter')
    expect(await page.locator('#password:focus').count()).toBe(1)
    await context.close()
  })
})
