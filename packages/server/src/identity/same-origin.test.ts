import { describe, expect, it } from 'vitest'

import { isSameOrigin } from './same-origin.ts'
import { aRequest } from './testing/request.ts'

describe('a form of our own page (75)', () => {
  it.each([
    [['Sec-Fetch-Site', 'same-origin'], true],
    [['Sec-Fetch-Site', 'same-origin', 'Origin', 'null'], true],
    [['Sec-Fetch-Site', 'same-site'], false],
    [['Sec-Fetch-Site', 'cross-site'], false],
    [['Sec-Fetch-Site', 'none'], false],
    [['Sec-Fetch-Site', 'cross-site', 'Origin', 'https://id.example.com'], false],
    [['Origin', 'https://id.example.com'], true],
    [['Origin', 'http://id.example.com'], false],
    [['Origin', 'https://id.example.com.evil.example'], false],
    [['Origin', 'https://example.com'], false],
    [['Origin', 'null'], false],
    [['Referer', 'https://id.example.com/sign-in'], false],
    [[], false],
  ])('says so: %j is %s', (headers, expected) => {
    expect(isSameOrigin(aRequest({ headers }), 'https://id.example.com/base')).toBe(expected)
  })
})
