import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { wayBack } from './way-back.ts'

describe('the way back after signing in (4)', () => {
  it.each([
    '/me',
    '/me?done=password',
    '/me/second-factor',
    '/oauth/authorize?client_id=abc&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=%2F%2Fx',
    '/invitation?held=a.b',
  ])('may be %s', (path) => {
    expect(wayBack(path)).toBe(path)
  })

  it.each([
    null,
    '',
    'me',
    '//evil.example',
    '//evil.example/me',
    '///evil.example/me',
    '/\\evil.example',
    '/\\/evil.example/me',
    '\\\\evil.example',
    'https://evil.example/me',
    'https:/me',
    'javascript:alert(1)',
    ' /me',
    '/me ',
    '/\t/evil.example',
    '/me\r\nSet-Cookie: a=b',
    '/me#//evil.example',
    '/me/../sign-out',
    '/me/%2e%2e/sign-out',
    '/oauth/authorize/../../api/v1/accounts',
    '/oauth/authorizeX',
    '/oauth/token',
    '/sign-out',
    '/sign-in?continue=/me',
    '/api/v1/accounts',
    '/mean',
    '/me/',
    '/ME',
    '/me/ä',
    '/@evil.example/me',
    `/me?${'x'.repeat(8192)}`,
  ])('is not %s', (path) => {
    expect(wayBack(path)).toBeNull()
  })

  it('never leaves the origin, whatever it is', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '//',
      'me',
      'oauth/authorize',
      '?',
      '#',
      '@',
      ':',
      '.',
      '..',
      '%2f',
      '\t',
      'evil',
    )
    const stays = fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = wayBack(pieces.join(''))
      return path === null || new URL(path, 'https://id.example.com').origin === 'https://id.example.com'
    })
    expect(fc.check(stays, { numRuns: 5000 }).failed).toBe(false)
  })
})
