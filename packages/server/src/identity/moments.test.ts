import { describe, expect, it } from 'vitest'

import { ago, moment } from './moments.ts'
import { browserName } from './user-agent.ts'

describe('what is said of a session', () => {
  const noon = Date.UTC(2026, 10, 3, 12)
  it('is a moment that everybody reads alike', () => {
    expect(String(moment(noon))).toBe('<time datetime="2026-11-03T12:00:00.000Z">3 Nov 2026, 12:00 UTC</time>')
  })

  it.each([
    [0, 'now'],
    [119_999, 'now'],
    [120_000, '2 minutes ago'],
    [7_199_999, '119 minutes ago'],
    [7_200_000, '2 hours ago'],
    [86_399_999, '23 hours ago'],
    [86_400_000, String(moment(noon))],
  ])('is how long ago it was, after %i ms', (ms, text) => {
    expect(String(ago(noon, noon + ms))).toBe(text)
  })

  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15',
      'Safari on macOS',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
      'Chrome on Android',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    ['curl/8.14.1', 'curl/8.14.1'],
    ['x'.repeat(200), `${'x'.repeat(59)}…`],
    [null, 'Unknown browser'],
  ])('is the browser as people call it: %s', (userAgent, name) => {
    expect(browserName(userAgent)).toBe(name)
  })
})
