import { describe, expect, it } from 'vitest'

import { clientSource } from './client-source.ts'

describe('where a form may lead', () => {
  it.each([
    ['https://app.example/cb?a=b', 'https://app.example'],
    ['https://app.example:8443/cb', 'https://app.example:8443'],
    ['http://127.0.0.1:49152/cb', 'http://127.0.0.1:49152'],
    ['http://[::1]:49152/cb', 'http:'],
    ['com.example.app:/cb', 'com.example.app:'],
    ['https://bücher.example/cb', 'https://xn--bcher-kva.example'],
    ["https://a;script-src'unsafe-inline'/cb", 'https:'],
    ['https://a,b.example/cb', 'https:'],
    ['https://*.example/cb', 'https:'],
  ])('of %s is %s', (uri, source) => {
    expect(clientSource(uri)).toBe(source)
  })
})
