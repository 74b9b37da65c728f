import { describe, expect, it } from 'vitest'

import { isQuestion, readQuestion } from './question.ts'

const plain = { target: null, api: null, statuses: null }

describe('the URL of a forward-auth question', () => {
  it('is /forward-auth, alone, with an API, with statuses, or with the original target behind it', () => {
    const asked = ['/forward-auth', '/forward-auth?x', '/forward-auth/', '/forward-auth//x?y', '/forward-auth:shop']
    expect(asked.map(isQuestion)).toEqual(asked.map(() => true))
    const other = [
      '/',
      '',
      '/forward-authx',
      '/forward-auth.json',
      '/forward-auth%2f',
      '/Forward-Auth',
      '/x/forward-auth',
    ]
    expect(other.map(isQuestion)).toEqual(other.map(() => false))
  })

  it('keeps every byte of a target behind it, whose query asks for nothing', () => {
    expect(readQuestion('/forward-auth')).toEqual(plain)
    for (const target of [
      '/',
      '//a',
      '/v1/%2e%2e/x?statuses=401',
      '/:x',
      '/forward-auth?a',
      '/a?b=\u00ff',
      '/a\nb?c',
    ]) {
      expect(readQuestion(`/forward-auth${target}`)).toEqual({ ...plain, target })
      expect(readQuestion(`/forward-auth:shop${target}`)).toEqual({ ...plain, api: 'shop', target })
    }
  })

  it('names an API in the path alone: a query may be the client’s', () => {
    expect(readQuestion('/forward-auth:shop')).toEqual({ ...plain, api: 'shop' })
    expect(readQuestion('/forward-auth:')).toEqual({ ...plain, api: '' })
    expect(readQuestion('/forward-auth:shop?api=books')).toEqual({ ...plain, api: 'shop' })
    expect(readQuestion('/forward-auth?api=books&target=/x&:books')).toEqual(plain)
  })

  it('reads the statuses that the proxy understands, the first ones where a client’s query follows', () => {
    const two = new Set([401, 403])
    expect(readQuestion('/forward-auth?statuses=401,403')).toEqual({ ...plain, statuses: two })
    expect(readQuestion('/forward-auth:shop?statuses=401%2c403&statuses=404')).toEqual({
      ...plain,
      api: 'shop',
      statuses: two,
    })
    for (const query of ['', 'statuses=', 'statuses=4', 'statuses=401,', 'xstatuses=401', 'a=b;statuses=401']) {
      expect(readQuestion(`/forward-auth?${query}`)).toEqual(plain)
    }
    // The same set for the same query: a proxy asks with it each time.
    expect(readQuestion('/forward-auth?statuses=401,403').statuses).toBe(
      readQuestion('/forward-auth?statuses=401,403').statuses,
    )
  })

  it('remembers a bounded number of queries, and reads the rest anew', () => {
    for (let i = 100; i < 300; i++) expect(readQuestion(`/forward-auth?statuses=${i}`).statuses).toEqual(new Set([i]))
    expect(readQuestion('/forward-auth?statuses=299').statuses).not.toBe(
      readQuestion('/forward-auth?statuses=299').statuses,
    )
  })
})
