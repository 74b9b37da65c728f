import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { registeredRedirect } from './redirect-uri.ts'

describe('a redirect URI', () => {
  const registered = [
    'https://app.example/cb',
    'http://127.0.0.1/cb?x=1',
    'http://[::1]:8000/',
    'http://localhost:3000/cb',
  ]

  it.each(registered)('1: that is registered is taken as it stands: %s', (uri) => {
    expect(registeredRedirect(registered, uri)).toBe(uri)
  })

  it.each([
    'https://app.example/cb/',
    'https://app.example/cb?',
    'https://app.example/cb?x=1',
    'https://app.example/CB',
    'https://APP.example/cb',
    'https://app.example:443/cb',
    'https://app.example/cb#',
    'https://app.example/%63b',
    'https://app.example/x/../cb',
    'https://app.example.evil.example/cb',
    'https://evil@app.example/cb',
    'https://app.example\\@evil.example/cb',
    'http://app.example/cb',
    ' https://app.example/cb',
    'https://app.example/cb ',
    'javascript:alert(1)',
    'https:app.example/cb',
    '//app.example/cb',
    '/cb',
    '',
    'http://localhost/cb',
    'http://localhost:4000/cb',
    'http://127.0.0.1/cb',
    'http://127.0.0.1:8000/cb',
    'http://127.0.0.1:80/cb?x=1#',
    'http://127.0.0.1:80/cb?x=1&y=2',
    'http://127.0.0.1:0/cb?x=1',
    'http://127.0.0.1:08/cb?x=1',
    'http://127.0.0.1:65536/cb?x=1',
    'http://127.0.0.1:/cb?x=1',
    'http://127.0.0.1:80@evil.example/cb?x=1',
    'http://127.0.0.1.evil.example/cb?x=1',
    'http://127.0.0.2:80/cb?x=1',
    'http://127.1:80/cb?x=1',
    'http://[::1]evil.example:80/',
    'http://[::2]:80/',
    'http://[0:0:0:0:0:0:0:1]:80/',
    'https://127.0.0.1:80/cb?x=1',
    'http://127.0.0.1:80\r\n/cb?x=1',
  ])('1: that differs from every registered one is none: %j', (uri) => {
    expect(registeredRedirect(registered, uri)).toBeNull()
  })

  it.each([
    'http://127.0.0.1:1/cb?x=1',
    'http://127.0.0.1:51234/cb?x=1',
    'http://127.0.0.1:65535/cb?x=1',
    'http://[::1]:9/',
    'http://[::1]/',
  ])('2: of a loopback address has the port that its client chose: %s', (uri) => {
    expect(registeredRedirect(registered, uri)).toBe(uri)
  })

  it('1: is never one that nobody registered, whatever is sent', () => {
    const only = ['https://app.example/cb']
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.string()), (uri) => {
        expect(registeredRedirect(only, uri)).toBe(uri === only[0] ? uri : null)
      }),
    )
  })
})
