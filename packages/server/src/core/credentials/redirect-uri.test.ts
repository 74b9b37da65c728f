import { describe, expect, it } from 'vitest'

import { redirectUriFault } from './redirect-uri.ts'

describe('a redirect URI that can be registered', () => {
  it.each([
    'https://app.example/callback',
    'https://app.example',
    'https://app.example:8443/callback?tenant=1&x=%20',
    'https://xn--bcher-kva.example/cb',
    'https://192.0.2.1/cb',
    'https://[2001:db8::1]:8443/cb',
    'https://app.example/a..b/.well-known/cb',
    'http://127.0.0.1/cb',
    'http://127.0.0.1:51004/cb',
    'http://[::1]:51004/cb',
    'http://localhost:3000/cb',
    `https://app.example/${'x'.repeat(1980)}`,
  ])('of any client: %s', (uri) => {
    expect([redirectUriFault(uri, 'confidential'), redirectUriFault(uri, 'public')]).toEqual([null, null])
  })

  it.each(['com.example.app:/callback', 'com.example.app://callback', 'com.example.app:callback'])(
    'of a public client alone (RFC 8252, section 7.1): %s',
    (uri) => {
      expect(redirectUriFault(uri, 'public')).toBeNull()
      expect(redirectUriFault(uri, 'confidential')).toMatch(/only public clients/)
    },
  )
})

describe('a redirect URI that cannot', () => {
  it.each([
    ['', 'printable ASCII'],
    ['/callback', 'not absolute'],
    ['//app.example/callback', 'not absolute'],
    ['app.example/callback', 'not absolute'],
    ['https:app.example', 'no host'],
    ['https:/app.example', 'no host'],
    ['https://', 'no host'],
    ['https:///callback', 'no host'],
    ['https://:8443/callback', 'no host'],
    ['https://App.example/callback', 'lower case'],
    ['https://127.1/callback', 'no host'],
    ['https://0x7f000001/callback', 'no host'],
    ['https://app.example:0/', 'no host'],
    ['https://app.example:65536/', 'no host'],
    ['https://app..example/', 'no host'],
    ['https://%61pp.example/', 'no host'],
    ['https://[2001:DB8::1]/', 'no host'],
    ['https://[::1/', 'no host'],
    ['HTTPS://app.example/', 'not absolute'],
    ['http://app.example/callback', 'plain HTTP'],
    ['http://127.0.0.2/callback', 'plain HTTP'],
    ['http://127.0.0.1.evil.example/callback', 'plain HTTP'],
    ['http://localhost.evil.example/callback', 'plain HTTP'],
    ['http://0.0.0.0/callback', 'plain HTTP'],
    ['http://[::ffff:127.0.0.1]/', 'plain HTTP'],
    ['http:/127.0.0.1/', 'plain HTTP'],
    ['https://user@app.example/callback', 'user'],
    ['https://user:pass@app.example/callback', 'user'],
    ['https://app.example@evil.example/callback', 'user'],
    ['com.example.app://user@callback', 'user'],
    ['https://app.example/callback#', 'fragment'],
    ['https://app.example/callback#x', 'fragment'],
    ['https://*.example/callback', 'wildcard'],
    ['https://app.example/*', 'wildcard'],
    ['https://app.example/a/../b', 'dot segment'],
    ['https://app.example/a/%2E%2e/b', 'dot segment'],
    ['https://app.example/.', 'dot segment'],
    ['https://app.example\\@evil.example/', 'percent-encoded'],
    ['https://app.example/<script>', 'percent-encoded'],
    ['https://app.example/a b', 'printable ASCII'],
    ['https://app.example/a\n', 'printable ASCII'],
    [' https://app.example/', 'printable ASCII'],
    ['https://bücher.example/', 'printable ASCII'],
    ['javascript:alert(1)', 'neither https'],
    ['data:text/html,x', 'neither https'],
    ['file:///etc/passwd', 'neither https'],
    ['vbscript:x', 'neither https'],
    ['blob:https://app.example/x', 'neither https'],
    ['view-source:https://app.example', 'neither https'],
    ['ftp://app.example/', 'neither https'],
    ['myapp:/callback', 'neither https'],
    ['java.script..x:/callback', 'neither https'],
    ['com.example.app:', 'nothing behind'],
    ['com.example.app://', 'nothing behind'],
    [`https://app.example/${'x'.repeat(1981)}`, '2000 characters'],
  ])('%j: %s', (uri, why) => {
    expect(redirectUriFault(uri, 'public')).toContain(why)
    expect(redirectUriFault(uri, 'confidential')).not.toBeNull()
  })
})
