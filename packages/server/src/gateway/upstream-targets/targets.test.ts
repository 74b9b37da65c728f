import { describe, expect, it, onTestFinished } from 'vitest'

import { until } from '../../../../../tests/support/until.ts'
import { fixedClock } from '../../base/clock.ts'
import { defaultPassive, targetAt, type Upstream } from '../../core/apis/upstream.ts'
import { gatewayTo, head, key } from '../testing/harness.ts'
import { rawClient, request } from '../testing/raw-client.ts'
import { rawUpstream, type RawUpstream, type Reply } from '../testing/raw-upstream.ts'

const get = head('GET / HTTP/1.1', 'Host: a', key)
const answer =
  (status: number): Reply =>
  (_request, socket) =>
    void socket.write(`HTTP/1.1 ${status} Said\r\nContent-Length: 2\r\n\r\nok`)

async function started(reply?: Reply, port?: number): Promise<RawUpstream> {
  const upstream = await rawUpstream(reply, port)
  let closing: Promise<void> | null = null
  const close = () => (closing ??= upstream.close())
  onTestFinished(close)
  return { ...upstream, close, seen: upstream.seen }
}

/** A port at which nobody listens. */
async function deadPort(): Promise<number> {
  const upstream = await rawUpstream()
  await upstream.close()
  return upstream.port
}

const urlOf = (port: number) => `http://127.0.0.1:${port}`

function upstreamOf(
  ports: readonly number[],
  more: Partial<Upstream> & { readonly weights?: readonly number[] } = {},
): Upstream {
  const { weights = [], ...rest } = more
  return {
    name: 'shop',
    targets: ports.map((port, i) => targetAt(new URL(urlOf(port)), { weight: weights[i] ?? 1 })),
    retries: 1,
    passive: defaultPassive,
    health: null,
    ...rest,
  }
}

describe('requests to several targets', () => {
  it('are spread by weight, exactly over a cycle', async () => {
    const [a, b, c] = [await started(), await started(), await started()]
    const upstream = upstreamOf([a.port, b.port, c.port], { weights: [3, 2, 1] })
    const { port } = await gatewayTo(undefined, { upstream })
    for (let i = 0; i < 12; i++) expect((await request(port, get)).status).toBe(200)
    expect([a.seen.length, b.seen.length, c.seen.length]).toEqual([6, 4, 2])
  })

  it('go to the other one where one is dead, each answered; the dead one is asked five times and then left out', async () => {
    const clock = fixedClock()
    const alive = await started()
    const dead = await deadPort()
    const harness = await gatewayTo(undefined, { upstream: upstreamOf([dead, alive.port]), clock })
    const ask = async (times: number) => {
      for (let i = 0; i < times; i++) expect((await request(harness.port, get)).status).toBe(200)
    }
    await ask(20)
    expect(alive.seen).toHaveLength(20)
    expect(harness.targetChanges).toEqual([`failing ${urlOf(dead)}: no connection could be made`])
    const back = await started(undefined, dead)
    await ask(4)
    expect(back.seen).toHaveLength(0)
    clock.advance(30_000)
    await ask(4)
    expect(back.seen).toHaveLength(2)
    expect(harness.targetChanges.slice(1)).toEqual([`recovered ${urlOf(dead)}: it answered`])
  })

  it('fail with 502 where all are dead, and are served at once when one is back: none is refused for what it was', async () => {
    const clock = fixedClock()
    const [one, two] = [await deadPort(), await deadPort()]
    const { port, targetChanges } = await gatewayTo(undefined, { upstream: upstreamOf([one, two]), clock })
    for (let i = 0; i < 12; i++) expect((await request(port, get)).status).toBe(502)
    expect(targetChanges.map((line) => line.slice(0, 7))).toEqual(['failing', 'failing'])
    await started(undefined, two)
    expect((await request(port, get)).status).toBe(200)
    expect(targetChanges.at(-1)).toBe(`recovered ${urlOf(two)}: it answered`)
  })

  it('leave out a target whose connections break, or that is too slow', async () => {
    const clock = fixedClock()
    const alive = await started()
    const breaks = await started((_request, socket) => void socket.destroy())
    const upstream = upstreamOf([breaks.port, alive.port], { passive: { ...defaultPassive, failures: 1 } })
    const broken = await gatewayTo(undefined, { upstream, clock })
    expect((await request(broken.port, get)).status).toBe(200)
    expect(broken.targetChanges).toEqual([
      `failing ${urlOf(breaks.port)}: it closed the connection, or did not speak HTTP`,
    ])

    const hangs = await started(() => {})
    const slow = await gatewayTo(undefined, {
      upstream: { ...upstream, name: 'slow', targets: upstreamOf([hangs.port, alive.port]).targets },
      clock,
      wire: { sweepMs: 10 },
      route: { timeouts: { connectMs: 1_000, firstByteMs: 1_000, idleMs: 1_000, totalMs: null } },
    })
    const waiting = request(slow.port, get)
    await until('it was asked', () => hangs.seen.length === 1)
    clock.advance(1_010)
    expect((await waiting).status).toBe(504)
    expect(slow.targetChanges).toEqual([`failing ${urlOf(hangs.port)}: it was too slow`])
    expect((await request(slow.port, get)).status).toBe(200)
    expect((await request(slow.port, get)).status).toBe(200)
    expect(hangs.seen).toHaveLength(1)
  })

  it('go on to a target that answers errors, unless its statuses are declared to be failures', async () => {
    const [bad, good] = [await started(answer(503)), await started(answer(200))]
    const statuses = async (passive: Upstream['passive']) => {
      const { port } = await gatewayTo(undefined, { upstream: upstreamOf([bad.port, good.port], { passive }) })
      const seen: number[] = []
      for (let i = 0; i < 4; i++) seen.push((await request(port, get)).status)
      return seen
    }
    expect(await statuses({ ...defaultPassive, failures: 1 })).toEqual([503, 200, 503, 200])
    expect(await statuses({ ...defaultPassive, failures: 1, statuses: [[500, 599]] })).toEqual([503, 200, 200, 200])
    expect(await statuses(null)).toEqual([503, 200, 503, 200])
  })

  it('know after a reload what was known before, and forget what is gone', async () => {
    const clock = fixedClock()
    const alive = await started()
    const dead = await deadPort()
    const passive = { ...defaultPassive, failures: 1 }
    const first = upstreamOf([dead, alive.port], { passive })
    const { port, gateway } = await gatewayTo(undefined, { upstream: first, clock })
    gateway.useUpstreams([first])
    await request(port, get)
    const state = () => gateway.targets().map((view) => view.state)
    expect(state()).toEqual(['failing', 'up'])
    gateway.useUpstreams([upstreamOf([dead, alive.port], { passive, retries: 0 })])
    expect(state()).toEqual(['failing', 'up'])
    gateway.useUpstreams([upstreamOf([dead, alive.port], { name: 'other' })])
    expect(gateway.targets()).toEqual([
      { upstream: 'other', target: urlOf(dead), state: 'up' },
      { upstream: 'other', target: urlOf(alive.port), state: 'up' },
    ])
  })
})

describe('another attempt', () => {
  const body = (method: string) => head(`${method} / HTTP/1.1`, 'Host: a', key, 'Content-Length: 2') + 'hi'
  const breaks: Reply = (_request, socket) => void socket.destroy()

  async function sent(text: string, first: Reply, more: Partial<Upstream> = {}) {
    const [a, b] = [await started(first), await started()]
    const { port } = await gatewayTo(undefined, { upstream: upstreamOf([a.port, b.port], more) })
    const { status } = await request(port, text)
    return [status, a.seen.length, b.seen.length]
  }

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('is made once for %s without a body', async (method) => {
    const text = head(`${method} / HTTP/1.1`, 'Host: a', key)
    const [a, b] = [await started(breaks), await started(breaks)]
    const c = await started()
    const { port } = await gatewayTo(undefined, { upstream: upstreamOf([a.port, b.port, c.port]) })
    const client = rawClient(port)
    client.send(text)
    expect((await client.answer(method === 'HEAD' ? { head: true } : {})).status).toBe(502)
    client.socket.destroy()
    expect([a.seen.length, b.seen.length, c.seen.length]).toEqual([1, 1, 0])
  })

  it.each(['POST', 'PATCH', 'PUT', 'DELETE', 'GET'])(
    'is never made for %s once its body was sent, also where the method could be repeated',
    async (method) => {
      expect(await sent(body(method), breaks)).toEqual([502, 1, 0])
    },
  )

  it.each(['POST', 'PATCH'])('is never made for %s without a body', async (method) => {
    expect(await sent(head(`${method} / HTTP/1.1`, 'Host: a', key, 'Content-Length: 0'), breaks)).toEqual([502, 1, 0])
  })

  it('is never made once a byte of the answer has come', async () => {
    const half: Reply = (_request, socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-')
    expect(await sent(get, half)).toEqual([502, 1, 0])
  })

  it('is made for everything where no connection came about, the body whole', async () => {
    const alive = await started()
    const upstream = upstreamOf([await deadPort(), alive.port])
    for (const method of ['POST', 'PATCH', 'PUT']) {
      const { port } = await gatewayTo(undefined, { upstream })
      expect((await request(port, body(method))).status).toBe(200)
    }
    expect(alive.seen.map((seen) => [seen.method, seen.body])).toEqual([
      ['POST', 'hi'],
      ['PATCH', 'hi'],
      ['PUT', 'hi'],
    ])
  })

  it('is made as often as is declared, each time to another target', async () => {
    const dead = [await deadPort(), await deadPort(), await deadPort()]
    const alive = await started()
    const statuses: number[] = []
    for (const retries of [0, 1, 2, 3]) {
      const { port } = await gatewayTo(undefined, { upstream: upstreamOf([...dead, alive.port], { retries }) })
      statuses.push((await request(port, get)).status)
    }
    expect(statuses).toEqual([502, 502, 502, 200])
  })

  it('is made after a connection that does not come about in time', async () => {
    const clock = fixedClock()
    const alive = await started()
    // An address of TEST-NET-1 (RFC 5737): nobody answers there.
    const silent = targetAt(new URL('http://192.0.2.1:9'), {})
    const { targets } = upstreamOf([alive.port])
    const { port } = await gatewayTo(undefined, {
      upstream: upstreamOf([], { targets: [silent, ...targets] }),
      clock,
      wire: { sweepMs: 10 },
    })
    const client = rawClient(port)
    client.send(get)
    await until('the connection is given up', () => {
      clock.advance(1_000)
      return alive.seen.length === 1
    })
    expect((await client.answer()).status).toBe(200)
    client.socket.destroy()
  })
})

describe('bounds of a target', () => {
  it('max_connections: more requests wait for one of them', async () => {
    const answers: (() => void)[] = []
    const only = await started((_request, socket) => {
      answers.push(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    })
    const target = targetAt(new URL(urlOf(only.port)), { connectionsMax: 2 })
    const { port } = await gatewayTo(undefined, { upstream: upstreamOf([], { targets: [target] }) })
    const waiting = Array.from({ length: 4 }, () => request(port, get))
    for (let i = 0; i < 4; i++) {
      await until('a request is there', () => answers.length > 0)
      expect(only.sockets.size).toBeLessThanOrEqual(2)
      answers.shift()?.()
    }
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('keep_alive: an unused connection is kept for that long', async () => {
    const clock = fixedClock()
    const only = await started()
    const target = targetAt(new URL(urlOf(only.port)), { idleMs: 20_000 })
    const { port } = await gatewayTo(undefined, { upstream: upstreamOf([], { targets: [target] }), clock })
    await request(port, get)
    clock.advance(19_999)
    await request(port, get)
    expect(only.sockets.size).toBe(1)
    clock.advance(21_000)
    await until('it is closed', () => only.sockets.size === 0)
  })
})

describe('health checks', () => {
  const health = {
    path: '/healthz?deep=1',
    intervalMs: 10_000,
    timeoutMs: 2_000,
    expect: [[200, 299]],
    unhealthyAfter: 2,
    healthyAfter: 2,
  } as const

  const checksOf = (target: RawUpstream) => target.seen.filter(({ path }) => path.startsWith('/healthz'))

  /** A target that answers its checks as it is told, and others that are well. */
  async function checked(others: readonly RawUpstream[] = []) {
    const clock = fixedClock()
    const well = { reply: answer(204) }
    const a = await started((seen, socket) =>
      seen.path.startsWith('/healthz') ? well.reply(seen, socket) : answer(200)(seen, socket),
    )
    const all = [a, ...others]
    const upstream = upstreamOf(
      all.map(({ port }) => port),
      { health },
    )
    const harness = await gatewayTo(undefined, { upstream, clock })
    const quiet = () => until('no check is on its way', () => all.every(({ sockets }) => sockets.size === 0))
    const asked = async (advance: () => void) => {
      const before = all.map((each) => checksOf(each).length)
      advance()
      await until('all are asked', () => all.every((each, i) => checksOf(each).length > (before[i] ?? 0)))
    }
    /** The clock stands still while answers are on their way. */
    const round = async (count: number) => {
      for (let i = 0; i < count; i++) {
        await asked(() => clock.advance(10_000))
        await quiet()
      }
    }
    await asked(() => harness.gateway.useUpstreams([upstream]))
    await quiet()
    return { a, well, asked, round, quiet, clock, harness }
  }

  it('ask without any credential, at once and at intervals; a target that answers badly gets nothing until it is well', async () => {
    const b = await started()
    const { a, well, round, harness } = await checked([b])
    expect(checksOf(a)[0]).toMatchObject({
      method: 'GET',
      path: '/healthz?deep=1',
      lines: [
        ['Host', `127.0.0.1:${a.port}`],
        ['User-Agent', 'Postern-Health'],
        ['Accept', '*/*'],
        ['Connection', 'close'],
      ],
    })
    well.reply = answer(500)
    await round(2)
    expect(harness.targetChanges).toEqual([`down ${urlOf(a.port)}: its check was answered 500`])
    expect(harness.gateway.targets().map(({ state }) => state)).toEqual(['down', 'up'])
    for (let i = 0; i < 4; i++) expect((await request(harness.port, get)).status).toBe(200)
    expect([a, b].map(({ seen }) => seen.filter(({ path }) => path === '/').length)).toEqual([0, 4])
    for (const socket of b.sockets) socket.destroy()
    well.reply = answer(200)
    await round(2)
    expect(harness.targetChanges.at(-1)).toBe(`up ${urlOf(a.port)}: its check was answered 200`)
  })

  it('fail where nothing listens, where nothing answers in time, and where what answers is no HTTP', async () => {
    const { a, well, harness, clock, asked, round, quiet } = await checked()
    well.reply = () => {}
    for (let i = 0; i < 2; i++) {
      await asked(() => clock.advance(10_000))
      clock.advance(2_000)
      await quiet()
    }
    expect(harness.targetChanges).toEqual([`down ${urlOf(a.port)}: its check was not answered in time`])
    well.reply = answer(200)
    await round(2)
    well.reply = (_seen, socket) => void socket.end('SSH-2.0-x\r\n')
    await round(2)
    expect(harness.targetChanges.at(-1)).toBe(
      `down ${urlOf(a.port)}: the upstream sent what is not HTTP/1.1, or can be read in two ways`,
    )
    await a.close()
    harness.gateway.useUpstreams([{ ...upstreamOf([a.port]), name: 'alone', health: { ...health, unhealthyAfter: 1 } }])
    await until('it is found dead', () => harness.targetChanges.length === 4)
    expect(harness.targetChanges.at(-1)).toBe(
      `down ${urlOf(a.port)}: no connection to the upstream could be made: connect ECONNREFUSED 127.0.0.1:${a.port}`,
    )
    expect((await request(harness.port, get)).status).toBe(502)
  })

  it('read no more of an answer than its status, and end with the upstream they belong to', async () => {
    const { a, well, harness, round, clock } = await checked()
    well.reply = (_seen, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
      const pump = () => void (socket.destroyed || socket.write('x'.repeat(65_536), pump))
      pump()
    }
    await round(1)
    harness.gateway.useUpstreams([])
    const before = checksOf(a).length
    clock.advance(60_000)
    expect((await request(harness.port, get)).status).toBe(200)
    expect(checksOf(a)).toHaveLength(before)
  })
})
