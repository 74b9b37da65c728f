import { describe, expect, it } from 'vitest'

import { lifetimeMs } from './freshness.ts'

describe('the lifetime of keys', () => {
  it.each<[string | null, string | null, number]>([
    [null, null, 600],
    ['', null, 600],
    ['public', null, 600],
    ['max-age=300', null, 300],
    ['public, Max-Age=300, must-revalidate', null, 300],
    ['max-age="300"', null, 300],
    // Within a minute and a day.
    ['max-age=59', null, 60],
    ['max-age=60', null, 60],
    ['max-age=61', null, 61],
    ['max-age=0', null, 60],
    ['max-age=86400', null, 86_400],
    ['max-age=86401', null, 86_400],
    ['max-age=9999999999', null, 86_400],
    ['no-store', null, 60],
    ['no-cache, max-age=3600', null, 60],
    // What a cache on the way has kept already.
    ['max-age=3600', '600', 3_000],
    ['max-age=3600', '3600', 60],
    ['max-age=3600', '99999', 60],
    // Nonsense says nothing.
    ['max-age=-5', null, 600],
    ['max-age=1e9', null, 600],
    ['max-age=12345678901', null, 600],
    ['s-maxage=30', null, 600],
    ['max-age=3600', '-600', 3_600],
    ['max-age=3600', 'soon', 3_600],
  ])('is by Cache-Control %j and Age %j %d s', (cacheControl, age, seconds) => {
    expect(lifetimeMs(cacheControl, age)).toBe(seconds * 1_000)
  })
})
