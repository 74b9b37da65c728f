import { connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Person } from './support/person.ts'
import { startWorld, type World } from './support/world.ts'

const link = 'x'.repeat(43)

describe('every page', () => {
  let world: World
  let ada: Person
  let guests = 0
  beforeAll(async () => {
    world = await startWorld()
    ada = await world.member('ada@example.com')
  })
  afterAll(async () => {
    expect(world.faults).toEqual([])
    await world.stop()
  })

  it.each([
    '/sign-in',
    '/sign-in?again=1',
    '/sign-in?other=1',
    '/sign-in/factor',
    '/sign-out',
    '/me',
    '/me/password',
    '/me/second-factor',
    '/me/sessions/end',
    '/me/nothing',
    `/invitation/${link}`,
    '/invitation?held=x',
    `/reset/${link}`,
    '/invitation/a/b',
  ])('%s is strict: nothing foreign, no frame, no referrer, no cache (7, 8, 11, 76)', async (path) => {
    for (const person of [ada, world.person()]) {
      const { headers, text, status } = await person.get(path)
      expect([path, Object.fromEntries(headers)]).toEqual([
        path,
        expect.objectContaining({
          'cache-control': 'no-store',
          'x-frame-options': 'DENY',
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'cross-origin-opener-policy': 'same-origin',
          'x-request-id': expect.stringMatching(/^req_/),
        }),
      ])
      expect(headers.has('access-control-allow-origin')).toBe(false)
      if (status === 303) continue
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
      )
      expect(text).not.toMatch(/<script|<iframe|<link|\ssrc=|\sstyle=|\son[a-z]+="/)
      expect(text).toMatch(/^<!doctype html>\s*<html lang="en">/)
    }
  })

  it('is there or is not: 404, 405, 413 and 415 are pages as well', async () => {
    expect([(await ada.get('/me/nothing')).status, (await ada.get('/me/nothing')).title]).toEqual([
      404,
      'There is no such page · acme',
    ])
    const wrong = await fetch(`${world.origin}/me`, { method: 'DELETE' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST'])
    expect((await ada.get('/me/sessions/end')).status).toBe(405)
    expect((await ada.post('/me', {})).status).toBe(405)
    expect((await ada.post('/sign-in', {}, { 'content-type': 'application/json' })).status).toBe(415)
    expect((await ada.post('/sign-in', { email: 'x'.repeat(70_000) })).status).toBe(413)
    const head = await fetch(`${world.origin}/sign-in`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    '</title></style><script>alert(1)</script>',
    '`${7*7}`{{7*7}}',
    '&lt;script&gt;',
  ])('holds what people type and call themselves as text: %s (80)', async (text) => {
    const account = await world.account(text)
    const secret = await world.invite(account, `person${(guests += 1)}@example.com`)
    const person = world.person()
    const page = await person.get(`/invitation/${secret}`)
    const answer = await person.submit(page, { name: text, password: 'short', repeated: text })
    const signIn = await person.submit(await person.get('/sign-in'), { email: text, password: 'x' })
    for (const { text: markup, words } of [page, answer, signIn]) {
      const { tags, attributes } = namesIn(markup)
      expect(tags.filter((tag) => ['script', 'img', 'iframe', 'object', 'base', 'link'].includes(tag))).toEqual([])
      expect(attributes.filter((name) => /^on|^(style|src|formaction)$/.test(name))).toEqual([])
      expect(words.includes(text) || markup === signIn.text).toBe(true)
    }
    const [typed] = signIn.form().fields.filter(([name]) => name === 'email')
    expect(typed).toEqual(['email', text])
  })

  it('answers bytes that are no text, and fields without end, without a fault', async () => {
    const bodies = ['%ff%fe=%c0%80', '&&&===', 'a'.repeat(60_000), 'a=b&'.repeat(15_000), 'form=%00&email=%00']
    for (const body of bodies) {
      const answer = await fetch(`${world.origin}/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body,
      })
      expect(answer.status).toBe(403)
    }
    const raw = ['GET /sign-in?continue=%E0%A4%A HTTP/1.1', 'GET /sign-in?a=\xff HTTP/1.1', 'GET /me/%2e%2e/x HTTP/1.1']
    for (const line of raw) expect(await statusOf(world.origin, line)).toMatch(/^HTTP\/1\.1 (200|303|400|404) /)
  })
})

/** Of all tags, read as a browser reads them; everything else is text. */
function namesIn(markup: string): { readonly tags: readonly string[]; readonly attributes: readonly string[] } {
  const found = [...markup.matchAll(/<([a-z][^\s/>]*)((?:[^">]|"[^"]*")*)>/gi)]
  const attributes = found.flatMap(([, , inside = '']) => inside.replaceAll(/"[^"]*"/g, '').match(/[^\s=/]+/g) ?? [])
  return {
    tags: found.map(([, tag = '']) => tag.toLowerCase()),
    attributes: attributes.map((name) => name.toLowerCase()),
  }
}

function statusOf(origin: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''))
    socket.on('error', reject)
    socket.write(Buffer.from(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`, 'latin1'))
  })
}
