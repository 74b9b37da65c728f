import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { ok } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { injectionOf } from '../core/connections/injection.ts'
import { refuse } from '../core/decision/refuse.ts'
import type { UsableConnections } from './connected.ts'
import type { FakeDataPlane, FakeOptions } from './testing/fake-data-plane.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { rawClient } from './testing/raw-client.ts'
import { refusedAs } from './wire.ts'

const get = head('GET / HTTP/1.1', 'Host: a', key)
const upgrade = head('GET / HTTP/1.1', 'Host: a', key, 'Connection: Upgrade', 'Upgrade: websocket')

const answers = {
  'an event stream': [get, 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\nfirst'],
  'an upgraded connection': [upgrade, 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nfirst'],
  'an ordinary answer': [get, 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nfirst'],
} as const

/** A running exchange, and what the decision says from now on. */
async function running(kind: keyof typeof answers, options: FakeOptions = {}, connections?: UsableConnections) {
  const [asked, answer] = answers[kind]
  const clock = fixedClock()
  const timeouts = { connectMs: 60_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: null }
  const gateway = await gatewayTo((_seen, socket) => void socket.write(answer), {
    clock,
    ...options,
    ...(connections && { connections }),
    route: { timeouts, ...options.route },
  })
  const client = rawClient(gateway.port)
  client.send(asked)
  await client.until('first')
  const [socket] = gateway.upstream.sockets
  const cut = new Promise<void>((resolve) => void socket?.once('close', () => resolve()))
  return { ...gateway, client, clock, cut }
}

function refuseFromNow(dataPlane: FakeDataPlane, code: Parameters<typeof refuse>[0], late = false): void {
  const evaluate = dataPlane.evaluate.bind(dataPlane)
  dataPlane.evaluate = (facts, trace) => {
    const found = evaluate(facts, trace)
    if (found instanceof Promise) return found
    const refused = refusedAs(found, code)
    return late ? Promise.resolve(refused) : refused
  }
}

describe('statement 70: what runs for long', () => {
  it.each(['an event stream', 'an upgraded connection'] as const)(
    'is closed within 5 s where its credential dies: %s',
    async (kind) => {
      const { dataPlane, client, clock, cut } = await running(kind)
      clock.advance(10_000)
      expect([client.socket.readyState, dataPlane.metered]).toEqual(['open', []])
      refuseFromNow(dataPlane, 'credential_revoked')
      clock.advance(3_000)
      await Promise.all([client.closed(), cut])
      expect(dataPlane.metered).toMatchObject([
        { evaluation: { refusal: { code: 'credential_revoked' } }, status: kind === 'an event stream' ? 200 : 101 },
      ])
    },
  )

  it('is closed too where the answer has to be waited for', async () => {
    const { dataPlane, client, clock, cut } = await running('an event stream')
    refuseFromNow(dataPlane, 'credential_unknown', true)
    clock.advance(3_000)
    await Promise.all([client.closed(), cut])
    expect(dataPlane.metered).toMatchObject([{ evaluation: { refusal: { code: 'credential_unknown' } } }])
  })

  it('is closed where the question fails', async () => {
    const { dataPlane, client, clock, cut, faults } = await running('an upgraded connection')
    dataPlane.evaluate = () => {
      throw new Error('out of order')
    }
    clock.advance(3_000)
    await Promise.all([client.closed(), cut])
    expect(faults).toEqual(['gateway.fault'])
  })

  it('asks at the time of asking, so that a credential may expire', async () => {
    const { dataPlane, client, clock } = await running('an event stream')
    const asked: number[] = []
    const evaluate = dataPlane.evaluate.bind(dataPlane)
    dataPlane.evaluate = (facts, trace) => {
      asked.push(facts.now)
      return evaluate(facts, trace)
    }
    const began = clock.now()
    clock.advance(3_000)
    expect(asked.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...asked)).toBeGreaterThan(began + 1_500)
    client.socket.destroy()
  })

  it.each(['rate_limited', 'quota_exceeded'] as const)('goes on where another request would be %s', async (code) => {
    const { dataPlane, client, clock } = await running('an event stream')
    refuseFromNow(dataPlane, code)
    clock.advance(10_000)
    expect([client.socket.readyState, dataPlane.metered]).toEqual(['open', []])
    client.socket.destroy()
  })

  it('goes on where it is an ordinary answer', async () => {
    const { dataPlane, client, clock } = await running('an ordinary answer')
    refuseFromNow(dataPlane, 'credential_revoked')
    clock.advance(10_000)
    expect(client.socket.readyState).toBe('open')
    client.socket.destroy()
  })

  it.each(['an event stream', 'an upgraded connection'] as const)(
    'goes on where its route says on_revoke: finish: %s',
    async (kind) => {
      const { dataPlane, client, clock } = await running(kind, { route: { onRevoke: 'finish' } })
      refuseFromNow(dataPlane, 'credential_revoked')
      clock.advance(10_000)
      expect(client.socket.readyState).toBe('open')
      client.socket.destroy()
    },
  )

  describe.each(['an event stream', 'an upgraded connection'] as const)('%s that uses a connection (VCH-5)', (kind) => {
    it('is closed within 5 s once that is disabled, deleted or rotated, and the log says why', async () => {
      const { connections, usable } = oneConnection()
      const { dataPlane, client, clock, cut } = await running(kind, { route: connected }, connections)
      clock.advance(10_000)
      expect([client.socket.readyState, dataPlane.metered]).toEqual(['open', []])
      usable.now = false
      clock.advance(3_000)
      await Promise.all([client.closed(), cut])
      expect(dataPlane.metered).toMatchObject([
        { evaluation: { refusal: { code: 'connection_unavailable' } }, status: kind === 'an event stream' ? 200 : 101 },
      ])
    })

    it('goes on where its route says on_revoke: finish', async () => {
      const { connections, usable } = oneConnection()
      const { client, clock } = await running(kind, { route: { ...connected, onRevoke: 'finish' } }, connections)
      usable.now = false
      clock.advance(10_000)
      expect(client.socket.readyState).toBe('open')
      client.socket.destroy()
    })
  })
})

const connected = { connection: { live: { name: 'main' }, sandbox: null } } as const

/** A connection that is found, and in force until `usable.now` says otherwise. */
function oneConnection() {
  const made = injectionOf([{ in: 'bearer', field: 'secret' }], {}, new Map([['secret', new Secret('theirs')]]))
  if (!made.ok) throw new Error(made.error)
  const usable = { now: true }
  const connections: UsableConnections = {
    find: () => ok(made.value),
    inForce: (injection) => usable.now && injection === made.value,
  }
  return { connections, usable }
}
