import axe, { type AxeResults } from 'axe-core'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

import { findChromium } from './installed.ts'

/** A browser of its own, without a profile, that calls nobody by itself. */
export async function launchChromium(...more: readonly string[]): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === null) throw new Error('chromium is not installed')
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  })
}

/** A window, and what it told of while it was open. */
export interface Window {
  readonly context: BrowserContext
  readonly page: Page
  /** Violations of a content security policy, and errors of scripts. Answers that say 4xx are no errors. */
  readonly complaints: readonly string[]
  /** Origins that anything was asked of. */
  readonly origins: ReadonlySet<string>
}

export async function openWindow(browser: Browser, options: BrowserContextOptions = {}): Promise<Window> {
  const context = await browser.newContext({
    viewport: { width: 1100, height: 760 },
    reducedMotion: 'reduce',
    ...options,
  })
  const page = await context.newPage()
  const complaints: string[] = []
  const origins = new Set<string>()
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!message.text().startsWith('Failed to load resource: the server responded')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  context.on('request', (request) => origins.add(new URL(request.url()).origin))
  return { context, page, complaints, origins }
}

/** What axe finds against WCAG 2.2 AA and its own good practice: rule, element, and what is wrong with it. */
export async function barriers(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(axe.source)
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })")
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary = '' }) => `${id}: ${target.join(' ')} ${failureSummary}`),
  )
}
