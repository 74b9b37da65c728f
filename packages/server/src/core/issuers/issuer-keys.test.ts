import { describe, expect, it } from 'vitest'

import { aSigner, type Signer } from '../jose/testing/signer.ts'
import type { OutboundAnswer } from '../outbound.ts'
import { anIssuer, answered, anIssuerWorld, keysOf, theClaims } from './testing/issuer.ts'

const k1 = aSigner('k1')
const k2 = aSigner('k2')
const minute = 60_000
const hour = 60 * minute
const { credential } = anIssuer()
const failed: OutboundAnswer = { kind: 'failed', reason: 'unreachable' }
const unknownKey = { kind: 'refused', code: 'credential_unknown', reason: 'key id not known' }

/** Until what was begun has settled; nothing here waits for time. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** An issuer whose answer can be changed; its tokens live for long. */
function aWorld(first: OutboundAnswer = keysOf([k1])) {
  let answer = first
  const world = anIssuerWorld({ answer: () => answer })
  const token = (signer: Signer) => signer.sign(theClaims({ exp: 4_000_000_000 }))
  return {
    ...world,
    answers: (next: OutboundAnswer) => {
      answer = next
    },
    /** Moves the clock and lets what that begins come to its end. */
    pass: async (ms: number) => {
      world.clock.advance(ms)
      await settled()
    },
    tokens: { k1: token(k1), k2: token(k2) },
    kind: (text: string) => world.verify(text).kind,
    status: () => world.issuers.status()[0],
    fetches: () => world.asked.length,
  }
}

describe('the keys of an issuer (security 50, 57)', () => {
  it('are fetched when it is declared, within bounds, and a request that comes meanwhile waits', async () => {
    const { verify, tokens, asked, status } = aWorld()
    const first = verify(tokens.k1)
    expect(asked).toEqual([
      expect.objectContaining({
        method: 'GET',
        url: new URL('https://login.corp.example/keys'),
        body: null,
        timeoutMs: 5_000,
        bodyBytesMax: 1_048_576,
      }) as unknown,
    ])
    expect(first.kind).toBe('pending')
    if (first.kind === 'pending') await first.fetched
    expect(verify(tokens.k1)).toMatchObject({ kind: 'foreign' })
    expect(status()).toEqual({
      issuer: 'corp',
      state: 'current',
      keys: 1,
      ageMs: 0,
      failures: 0,
      failing: null,
      credential,
    })
  })

  it('are fetched once for twenty requests at once', async () => {
    const { settled: settledVerdict, tokens, fetches } = aWorld()
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => settledVerdict(tokens.k1)))
    expect([verdicts.every(({ kind }) => kind === 'foreign'), fetches()]).toEqual([true, 1])
  })

  it('are fetched again in the background before their lifetime ends, so that no request waits', async () => {
    const { pass, kind, tokens, fetches, status } = aWorld(keysOf([k1], { 'cache-control': 'max-age=3600' }))
    await settled()
    await pass(0.75 * hour - 1)
    expect(fetches()).toBe(1)
    for (let i = 0; i < 100; i++) {
      expect([i, kind(tokens.k1), status()?.state]).toEqual([i, 'foreign', 'current'])
      await pass(minute)
    }
    // Each after three quarters to nine tenths of an hour.
    expect(fetches()).toBeGreaterThanOrEqual(3)
    expect(fetches()).toBeLessThanOrEqual(4)
  })

  it('are asked for between once a minute and once a day, whatever the answer says', async () => {
    const busy = aWorld(keysOf([k1], { 'cache-control': 'max-age=0' }))
    const lazy = aWorld(keysOf([k1], { 'cache-control': 'max-age=31536000' }))
    await settled()
    for (let i = 0; i < 60; i++) {
      await busy.pass(minute)
      await lazy.pass(hour)
    }
    expect(busy.fetches()).toBeGreaterThanOrEqual(60)
    expect(busy.fetches()).toBeLessThanOrEqual(81)
    expect([3, 4]).toContain(lazy.fetches())
  })

  it('of a key id that is not known are asked for at most every 30 seconds', async () => {
    const { pass, settled: settledVerdict, tokens, fetches, answers, verify } = aWorld()
    await settled()
    expect([verify(tokens.k2), fetches()]).toEqual([unknownKey, 1])
    await pass(29_999)
    expect([await settledVerdict(tokens.k2), fetches()]).toEqual([unknownKey, 1])
    await pass(1)
    expect([await settledVerdict(tokens.k2), fetches()]).toEqual([unknownKey, 2])
    await pass(29_999)
    answers(keysOf([k1, k2]))
    expect([await settledVerdict(tokens.k2), fetches()]).toEqual([unknownKey, 2])
    await pass(1)
    const many = await Promise.all(Array.from({ length: 20 }, () => settledVerdict(tokens.k2)))
    expect([many.every(({ kind }) => kind === 'foreign'), fetches()]).toEqual([true, 3])
  })

  it('are changed by their issuer without a request that fails', async () => {
    const { pass, settled: settledVerdict, tokens, answers } = aWorld(keysOf([k1], { 'cache-control': 'max-age=300' }))
    const good = async (text: string) => (await settledVerdict(text)).kind === 'foreign'
    expect(await good(tokens.k1)).toBe(true)
    // The next one is published; an hour later it signs; another hour later the old one leaves.
    answers(keysOf([k1, k2], { 'cache-control': 'max-age=300' }))
    for (let i = 0; i < 60; i++) {
      await pass(minute)
      expect([i, await good(tokens.k1)]).toEqual([i, true])
    }
    for (let i = 0; i < 60; i++) {
      await pass(minute)
      expect([i, await good(tokens.k1), await good(tokens.k2)]).toEqual([i, true, true])
    }
    answers(keysOf([k2], { 'cache-control': 'max-age=300' }))
    for (let i = 0; i < 60; i++) {
      await pass(minute)
      expect([i, await good(tokens.k2)]).toEqual([i, true])
    }
    expect(await settledVerdict(tokens.k1)).toEqual(unknownKey)
  })

  it('that sign at once, unpublished before, cost no request either where none was asked for in the last 30 seconds', async () => {
    const { pass, settled: settledVerdict, tokens, answers } = aWorld()
    await settled()
    await pass(30_000)
    answers(keysOf([k2]))
    expect(await settledVerdict(tokens.k2)).toMatchObject({ kind: 'foreign' })
  })

  it('that are withdrawn verify nothing any longer, what was verified before included', async () => {
    const { pass, verify, known, tokens, answers } = aWorld(keysOf([k1, k2], { 'cache-control': 'max-age=60' }))
    await settled()
    verify(tokens.k1)
    verify(tokens.k2)
    answers(keysOf([k2], { 'cache-control': 'max-age=60' }))
    expect([known(tokens.k1)?.kind, known(tokens.k2)?.kind]).toEqual(['foreign', 'foreign'])
    await pass(54_000)
    expect([known(tokens.k1), known(tokens.k2)?.kind]).toEqual([null, 'foreign'])
    expect(verify(tokens.k1)).toEqual(unknownKey)
  })

  it('that another took the id of verify nothing any longer', async () => {
    const { pass, verify, known, tokens, answers } = aWorld(keysOf([k1], { 'cache-control': 'max-age=60' }))
    await settled()
    verify(tokens.k1)
    answers(keysOf([aSigner('k1')], { 'cache-control': 'max-age=60' }))
    await pass(54_000)
    expect([known(tokens.k1), verify(tokens.k1)]).toEqual([
      null,
      { kind: 'refused', code: 'credential_unknown', reason: 'signature' },
    ])
  })

  it('that are all withdrawn leave none', async () => {
    const { pass, verify, tokens, answers, status } = aWorld(keysOf([k1], { 'cache-control': 'max-age=60' }))
    await settled()
    answers(answered('{"keys":[]}'))
    await pass(54_000)
    expect([verify(tokens.k1), status()]).toMatchObject([unknownKey, { state: 'current', keys: 0 }])
  })

  it.each<[string, OutboundAnswer]>([
    ['timeout', { kind: 'failed', reason: 'timeout' }],
    ['host_unknown', { kind: 'failed', reason: 'host_unknown' }],
    ['address_forbidden', { kind: 'failed', reason: 'address_forbidden' }],
    ['answered 302', answered('', { location: 'https://169.254.169.254/' }, 302)],
    ['answered 500', answered('{"keys":[]}', {}, 500)],
    ['answered 204', answered('', {}, 204)],
    ['not a JWK Set', answered('<html>')],
    ['too large', { ...keysOf([k1]), cut: true } as OutboundAnswer],
  ])('that cannot be had make a token 503, never 401: %s', async (reason, answer) => {
    const { settled: settledVerdict, tokens, status, told } = aWorld(answer)
    expect(await settledVerdict(tokens.k1)).toEqual({
      kind: 'unavailable',
      reason: 'keys of the issuer',
      retryAfterMs: 1_000,
    })
    expect(status()).toEqual({
      issuer: 'corp',
      state: 'none',
      keys: 0,
      ageMs: null,
      failures: 1,
      failing: reason,
      credential,
    })
    expect(told).toEqual([JSON.stringify({ event: 'issuer.keys_failing', issuer: 'corp', reason })])
  })

  it('are asked for again after longer and longer, a minute at most, by chance not all at once', async () => {
    const { pass, fetches, settled: settledVerdict, tokens } = aWorld(failed)
    await settled()
    const at: number[] = []
    for (let ms = 100, before = 1; ms <= 10 * minute; ms += 100) {
      await pass(100)
      // Requests make it no more often.
      expect((await settledVerdict(tokens.k1)).kind).toBe('unavailable')
      if (fetches() > before) at.push(ms)
      before = fetches()
    }
    const waits = at.map((ms, i) => ms - (at[i - 1] ?? 0))
    for (const [i, wait] of waits.entries()) {
      const longest = Math.min(minute, 1_000 * 2 ** i)
      expect([i, wait >= longest / 2, wait <= longest + 100]).toEqual([i, true, true])
    }
    expect(new Set(waits.slice(7)).size).toBeGreaterThan(1)
    expect(waits.length).toBeGreaterThan(12)
  })

  it('serve for an hour after their lifetime while their issuer is away, and not a moment longer', async () => {
    const { pass, kind, known, tokens, answers, status, told } = aWorld(
      keysOf([k1], { 'cache-control': 'max-age=600' }),
    )
    await settled()
    expect(kind(tokens.k1)).toBe('foreign')
    answers(failed)
    await pass(10 * minute - 1)
    expect(status()).toMatchObject({ state: 'current', failing: 'unreachable' })
    await pass(1)
    expect(status()).toMatchObject({ state: 'stale', keys: 1, ageMs: 10 * minute })
    await pass(hour - 1)
    expect([known(tokens.k1)?.kind, kind(tokens.k1)]).toEqual(['foreign', 'foreign'])
    // What is not known may well be a new key.
    expect(kind(tokens.k2)).toBe('unavailable')
    await pass(1)
    expect([known(tokens.k1), kind(tokens.k1), kind(tokens.k2)]).toEqual([null, 'unavailable', 'unavailable'])
    expect(status()).toMatchObject({ state: 'none', keys: 0 })
    answers(keysOf([k1]))
    await pass(minute)
    expect([kind(tokens.k1), status()?.state]).toEqual(['foreign', 'current'])
    expect(told).toEqual([
      '{"event":"issuer.keys_failing","issuer":"corp","reason":"unreachable"}',
      '{"event":"issuer.keys_fetched","issuer":"corp","keys":1}',
    ])
  })

  it('are as old as the clock says that has moved further: one stands still while a machine sleeps', async () => {
    const { clock, kind, tokens, status } = aWorld(keysOf([k1], { 'cache-control': 'max-age=600' }))
    await settled()
    clock.setWall(clock.now() + 10 * minute + hour - 1)
    expect([kind(tokens.k1), status()?.state]).toEqual(['foreign', 'stale'])
    clock.setWall(clock.now() + 1)
    expect(status()?.state).toBe('none')
  })

  it('are fetched no more once the issuer is declared no longer, and a late answer is nothing', async () => {
    const late = Promise.withResolvers<OutboundAnswer>()
    const { issuers, clock, asked, settled: settledVerdict } = anIssuerWorld({ answer: () => late.promise })
    const token = k1.sign(theClaims())
    const waiting = settledVerdict(token)
    issuers.use([])
    late.resolve(keysOf([k1]))
    expect(await waiting).toEqual({ kind: 'refused', code: 'credential_unknown', reason: 'issuer not declared' })
    clock.advance(24 * hour)
    await settled()
    expect([asked.length, issuers.status()]).toEqual([1, []])
  })

  it('stay through a reload that leaves where and how they are fetched, and what was verified does not', async () => {
    const { issuers, known, verify, tokens, fetches } = aWorld()
    await settled()
    verify(tokens.k1)
    expect(known(tokens.k1)?.kind).toBe('foreign')
    issuers.use([anIssuer({ credential: 'cred_0000000000bb' })])
    expect(known(tokens.k1)).toBeNull()
    expect(verify(tokens.k1)).toMatchObject({ token: { credential: 'cred_0000000000bb' } })
    expect(fetches()).toBe(1)
    issuers.use([anIssuer({ algorithms: new Set(['RS256']) })])
    expect(fetches()).toBe(2)
    issuers.use([anIssuer({ jwksUri: new URL('https://elsewhere.example/keys') })])
    expect(fetches()).toBe(3)
  })

  it('are held no longer after the end', async () => {
    const { issuers, pass, fetches } = aWorld()
    await settled()
    issuers.stop()
    await pass(24 * hour)
    expect(fetches()).toBe(1)
  })
})
