import type { Answer } from '../core/decision/answer.ts'
import { html, type Html } from './html.ts'
import { mark } from './icons.ts'
import { styleElement, styleHash } from './style/style.ts'

export interface PageParts {
  readonly title: string
  readonly content: Html
  readonly status?: number
  /** `narrow`: one panel in the middle. `roomy`: a wider one. `wide`: a page with a line at the top. */
  readonly shape?: 'narrow' | 'roomy' | 'wide'
  /** Below the panel. */
  readonly below?: Html
  /** In the line at the top, at its end. */
  readonly menu?: Html
  /** Where an answer to one of its forms may lead besides this origin (sources of CSP's form-action). */
  readonly formsLeadTo?: readonly string[]
  /** Header lines. */
  readonly headers?: readonly string[]
}

/** Whose console this is, as every page says. */
export interface Site {
  readonly brand: string
  readonly publicUrl: string
}

export function pageAnswer(site: Site, requestId: string, page: PageParts): Answer {
  return {
    status: page.status ?? 200,
    headers: [
      'Content-Type',
      'text/html; charset=utf-8',
      'Content-Security-Policy',
      policy(page.formsLeadTo ?? []),
      ...securityHeaders(requestId),
      ...(page.headers ?? []),
    ],
    body: String(documentOf(site, page)),
  }
}

/** RFC 9700, section 4.12: 303, so that no browser sends a form on to where it is redirected. */
export function seeOther(location: string, requestId: string, headers: readonly string[] = []): Answer {
  return { status: 303, headers: ['Location', location, ...securityHeaders(requestId), ...headers], body: '' }
}

function securityHeaders(requestId: string): readonly string[] {
  return [
    'Cache-Control',
    'no-store',
    'X-Frame-Options',
    'DENY',
    'X-Content-Type-Options',
    'nosniff',
    'Referrer-Policy',
    'no-referrer',
    'Cross-Origin-Opener-Policy',
    'same-origin',
    'Cross-Origin-Resource-Policy',
    'same-origin',
    'X-Request-Id',
    requestId,
  ]
}

/** Nothing but our one style sheet is loaded; nothing is run; nobody frames it. */
function policy(formsLeadTo: readonly string[]): string {
  return [
    "default-src 'none'",
    `style-src '${styleHash}'`,
    `form-action ${["'self'", ...formsLeadTo].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ')
}

function documentOf(site: Site, { title, content, shape = 'narrow', below, menu }: PageParts): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · ${site.brand}</title>
        ${styleElement}
      </head>
      <body>
        ${shape === 'wide' ? wide(site, content, menu ?? null) : narrow(site, content, shape, below ?? null)}
      </body>
    </html> `
}

function narrow(site: Site, content: Html, shape: 'narrow' | 'roomy', below: Html | null): Html {
  return html`<main class="narrow ${shape}">
      ${brand(site)}
      <div class="panel">${content}</div>
      ${below === null ? null : html`<p class="beside">${below}</p>`}
    </main>
    ${foot(site)}`
}

function wide(site: Site, content: Html, menu: Html | null): Html {
  return html`<header class="top">${brand(site)}${menu}</header>
    <main class="wide">${content}</main>
    ${foot(site)}`
}

const brand = ({ brand: name }: Site): Html => html`<span class="brand">${mark}${name}</span>`

const foot = ({ publicUrl }: Site): Html => html`<footer class="foot">${new URL(publicUrl).host}</footer>`
