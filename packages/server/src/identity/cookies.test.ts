import { describe, expect, it } from 'vitest'

import { createCookies } from './cookies.ts'
import { aRequest } from './testing/request.ts'

describe('cookies (72)', () => {
  const secure = createCookies(() => 'https://id.example.com')
  const loopback = createCookies(() => 'http://localhost:8081')

  it('are kept from scripts, from other sites, from plain HTTP and from neighbours of the domain', () => {
    expect(secure.set('session', 'abc', null)).toEqual([
      'Set-Cookie',
      '__Host-postern_session=abc; Path=/; Secure; HttpOnly; SameSite=Lax',
    ])
    expect(secure.set('device', 'abc', 60_500)[1]).toBe(
      '__Host-postern_device=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60',
    )
    expect(secure.clear('session')[1]).toBe(
      '__Host-postern_session=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0',
    )
  })

  it('have a plain name on loopback alone, which has no HTTPS', () => {
    expect(loopback.set('session', 'abc', null)[1]).toBe('postern_session=abc; Path=/; HttpOnly; SameSite=Lax')
  })

  it('are not read under the name that a neighbour could set', () => {
    const request = aRequest({ headers: ['Cookie', 'postern_session=planted; __Host-postern_browser=ours'] })
    expect([secure.read(request, 'session'), secure.read(request, 'browser')]).toEqual([null, 'ours'])
  })
})
