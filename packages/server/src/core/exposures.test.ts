import { describe, expect, it } from 'vitest'

import type { ExposurePolicy } from './apis/api.ts'
import { createExposures, type ExposureParts } from './exposures.ts'
import { aCredential, aSecret } from './testing/records.ts'
import { aWorld, lines, theSecret } from './testing/world.ts'

const day = 86_400_000

function exposures(options: { readonly policy?: ExposurePolicy } = {}) {
  const others = Array.from({ length: 3 }, (_, i) =>
    aCredential({ id: `cred_00000000100${i}`, secrets: [aSecret(`other-secret-${i}`)] }),
  )
  const world = aWorld({ others })
  const written: string[] = []
  const faults: string[] = []
  let fails = false
  let hold: Promise<unknown> = Promise.resolve()
  const store: ExposureParts['store'] = {
    credentials: {
      markExposed: async ({ id, secret, againMs, by }) => {
        await hold
        if (fails) throw new Error('the store is away')
        written.push(`mark ${id} ${secret} ${againMs} from ${by.ip ?? '-'} by ${by.userAgent ?? '-'}`)
        return { ok: false, error: { code: 'not_found' } }
      },
      markTokenExposed: async ({ id, token }) => {
        written.push(`mark ${id} ${token}`)
        return { ok: false, error: { code: 'not_found' } }
      },
      setState: async ({ id, change }) => {
        written.push(`${change.to} ${id}`)
        return { ok: false, error: { code: 'not_found' } }
      },
    },
    tokens: {
      revoke: async ({ token }) => {
        written.push(`revoke ${'id' in token ? token.id : ''}`)
        return { ok: false, error: { code: 'not_found' } }
      },
    },
    accounts: { find: async () => null },
  }
  const made = createExposures({
    store,
    apply: () => undefined,
    clock: world.clock,
    policyOf: () => options.policy ?? 'flag',
    reportFault: (event) => void faults.push(event),
  })
  return {
    ...made,
    clock: world.clock,
    written,
    faults,
    fail: (yes: boolean) => {
      fails = yes
    },
    holdUntil: (done: Promise<unknown>) => {
      hold = done
    },
    /** A request over plain HTTP with that secret. */
    send: (secret = theSecret, agent = 'curl/8') => {
      const sent = { encrypted: false, headers: lines(['X-Api-Key', secret], ['User-Agent', agent]) }
      const evaluation = world.evaluate(sent, false)
      made.note({
        evaluation,
        facts: world.request(sent),
        requestId: 'req_1',
        via: 'gateway',
        status: 403,
        llm: null,
        ended: 'answered',
        latencyMs: 1,
        received: 0,
        upstreamMs: null,
        sent: 0,
      })
    },
  }
}

describe('an exposed credential (15)', () => {
  it('is written once a day, however often it is sent; one that is not real never', async () => {
    const seen = exposures()
    for (let i = 0; i < 100; i++) seen.send()
    for (let i = 0; i < 100; i++) seen.send(`guess-${i}`)
    await seen.settled()
    expect(seen.written).toEqual([
      expect.stringMatching(/^mark cred_\S+ sec_\S+ 86400000 from 203.0.113.7 by curl\/8$/),
    ])
    seen.clock.advance(day - 1)
    seen.send()
    await seen.settled()
    expect(seen.written).toHaveLength(1)
    seen.clock.advance(1)
    seen.send()
    await seen.settled()
    expect(seen.written).toHaveLength(2)
  })

  it('costs the request nothing but memory, and is written one at a time', async () => {
    const seen = exposures()
    const gate = Promise.withResolvers<undefined>()
    seen.holdUntil(gate.promise)
    seen.send()
    for (let i = 0; i < 3; i++) seen.send(`other-secret-${i}`)
    expect(seen.written).toEqual([])
    gate.resolve(undefined)
    await seen.settled()
    expect(seen.written.map((line) => line.split(' ')[2])).toEqual(
      [theSecret, 'other-secret-0', 'other-secret-1', 'other-secret-2'].map((text) => aSecret(text).id),
    )
  })

  it('is tried again after a fault of the store, not at once', async () => {
    const seen = exposures()
    seen.fail(true)
    seen.send()
    await seen.settled()
    seen.send()
    await seen.settled()
    expect([seen.faults, seen.written]).toEqual([['credential.exposed'], []])
    seen.fail(false)
    seen.clock.advance(5_000)
    seen.send()
    await seen.settled()
    expect(seen.written).toHaveLength(1)
  })

  it('is revoked where that is declared', async () => {
    const seen = exposures({ policy: 'revoke' })
    seen.send()
    await seen.settled()
    expect(seen.written).toEqual([expect.stringMatching(/^mark /), expect.stringMatching(/^revoked cred_/)])
  })

  it('leaves no key of ours in the event where it stood in the user agent', async () => {
    const seen = exposures()
    seen.send(theSecret, `tool acme_sk_live_${'a'.repeat(12)}${'b'.repeat(32)}${'c'.repeat(6)}`)
    await seen.settled()
    expect(seen.written[0]).not.toContain('bbbb')
  })
})
