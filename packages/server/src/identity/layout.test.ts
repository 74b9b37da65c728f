import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { html } from './html.ts'
import { pageAnswer, seeOther } from './layout.ts'

const site = { brand: 'acme', publicUrl: 'https://id.example.com' }
const headersOf = (lines: readonly string[]) =>
  Object.fromEntries(lines.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), lines[i + 1]]] : [])))

describe('a page', () => {
  it('runs nothing, loads nothing, is framed by nobody and tells nobody where it was (7, 8, 76)', () => {
    const answer = pageAnswer(site, 'req_1', { title: 'Sign in', content: html`<h1>Sign in</h1>` })
    expect([answer.status, headersOf(answer.headers)]).toEqual([
      200,
      {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
        ),
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'x-request-id': 'req_1',
      },
    ])
  })

  it('has one style sheet, which the policy names by its hash', () => {
    const answer = pageAnswer(site, 'req_1', { title: 'Sign in', content: html`<h1>Sign in</h1>` })
    const [, sheet = ''] = /<style>([^<]*)<\/style>/.exec(answer.body) ?? []
    expect(headersOf(answer.headers)['content-security-policy']).toContain(
      `'sha256-${createHash('sha256').update(sheet).digest('base64')}'`,
    )
    // Entities mean nothing within a style sheet: nothing in it may have been escaped.
    expect(sheet).not.toContain('&')
    expect(answer.body).not.toMatch(/<script|\son[a-z]+=|\sstyle=|src=|<link/)
  })

  it('lets its forms lead where it is said', () => {
    const answer = pageAnswer(site, 'req_1', {
      title: 'Consent',
      content: html`<h1>Consent</h1>`,
      formsLeadTo: ['https://app.example'],
    })
    expect(headersOf(answer.headers)['content-security-policy']).toContain("form-action 'self' https://app.example;")
  })

  it('escapes its title', () => {
    const answer = pageAnswer(site, 'req_1', { title: '</title><script>', content: html`<h1>x</h1>` })
    expect(answer.body).toContain('<title>&lt;/title&gt;&lt;script&gt; · acme</title>')
  })

  it('sends on with 303, so that no form is sent again (6)', () => {
    const answer = seeOther('/me', 'req_1', ['Set-Cookie', 'a=b'])
    expect([answer.status, answer.body]).toEqual([303, ''])
    expect(headersOf(answer.headers)).toMatchObject({
      location: '/me',
      'set-cookie': 'a=b',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
  })
})
