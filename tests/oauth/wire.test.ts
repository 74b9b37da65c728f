import { connect } from 'node:net'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { makeAccount, type Account, type Holder } from '../support/issue.ts'
import { encoded, inBody, issueClient, oauthYaml } from '../support/oauth.ts'
import { exchange, type RawAnswer } from '../support/raw.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

/** The hand-over of requests to endpoints: on the gateway, which has a parser of its own around it, and on the console. */
let server: TestServer
let account: Account
let client: Holder
let form: string

beforeAll(async () => {
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
  account = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, account.project, { apis: ['cards'], scopes: [] })
  form = encoded({ grant_type: 'client_credentials', ...inBody(client) })
})
afterAll(async () => await server.stop())
beforeEach(() => server.upstream.clear())
afterEach(() => {
  expect(server.upstream.seen).toEqual([])
  const faults = server.logged.filter((line) => line.includes('fault'))
  if (faults.length > 0) throw new Error(faults.join('\n'))
})

const portOf = (url: string | undefined): number => Number(new URL(url ?? '').port)
const mounts = [
  ['the gateway', () => portOf(server.own[3]), '/v1/auth/token'],
  ['the console', () => portOf(server.console), '/oauth/token'],
] as const

const type = 'Content-Type: application/x-www-form-urlencoded\r\n'
const head = (path: string, lines: string, method = 'POST') =>
  `${method} ${path} HTTP/1.1\r\nHost: cards.test\r\n${type}${lines}\r\n`
const sized = (text: string) => `Content-Length: ${Buffer.byteLength(text)}\r\n`
const statuses = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status)

describe.each(mounts)('on %s', (_, port, path) => {
  it('a body in one piece, in chunks, and byte by byte is one body', async () => {
    const chunks = form.match(/.{1,7}/g) ?? []
    const chunked = `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
    const answers = await exchange(
      port(),
      head(path, sized(form)) +
        form +
        head(path, 'Transfer-Encoding: chunked\r\n') +
        chunked +
        head(path, `Connection: close\r\n${sized(form)}`) +
        form,
    )
    expect(statuses(answers)).toEqual([200, 200, 200])
    expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(3)
  })

  it('what follows a request on its connection is answered after it, in order', async () => {
    const bad = 'grant_type=nothing'
    const answers = await exchange(
      port(),
      head(path, sized(form)) +
        form +
        head(path, sized(bad)) +
        bad +
        head(path, `Connection: close\r\n${sized(form)}`) +
        form,
    )
    expect(statuses(answers)).toEqual([200, 401, 200])
  })

  it('a client that waits for 100 Continue is told to go on', async () => {
    const bytes = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(port(), '127.0.0.1')
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(form)
      })
      socket.on('close', () => resolve(text)).on('error', reject)
      socket.write(head(path, `Expect: 100-continue\r\nConnection: close\r\n${sized(form)}`))
    })
    expect(bytes).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/)
  })

  it('a body that is announced as too large is not waited for', async () => {
    const answers = await exchange(port(), head(path, 'Content-Length: 65537\r\n') + form)
    expect(statuses(answers)).toEqual([413])
    expect(answers[0]?.header('connection')).toBe('close')
  })

  it('a body that becomes too large is cut off, and nothing behind it is read', async () => {
    const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
    const answers = await exchange(
      port(),
      `${head(path, 'Transfer-Encoding: chunked\r\n')}${chunk.repeat(3)}0\r\n\r\n${head(path, sized(form))}${form}`,
    )
    expect(statuses(answers)).toEqual([413])
  })

  it('65,536 bytes are taken, one more is not', async () => {
    const fill = (bytes: number) => `${form}&x=`.padEnd(bytes, 'x')
    const whole = await exchange(port(), head(path, `Connection: close\r\n${sized(fill(65_536))}`) + fill(65_536))
    expect(statuses(whole)).toEqual([200])
    const more = await exchange(port(), head(path, `Connection: close\r\n${sized(fill(65_537))}`) + fill(65_537))
    expect(statuses(more)).toEqual([413])
  })

  it.each([
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['a length and chunks', `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`],
    ['chunks in another coding', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a length that is no number', 'Content-Length: 5x\r\n'],
    ['a negative length', 'Content-Length: -5\r\n'],
    ['a second host', 'Host: other.test\r\nContent-Length: 5\r\n'],
    ['a folded line', 'X-A: b\r\n c\r\nContent-Length: 5\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n'],
  ])('a head with %s is refused, and what follows is nobody’s', async (_name, lines) => {
    const answers = await exchange(port(), `${head(path, lines)}hello${head(path, sized(form))}${form}`)
    expect(statuses(answers)).toEqual([400])
  })

  it('a chunk that is broken is refused, and what follows is nobody’s', async () => {
    const answers = await exchange(
      port(),
      `${head(path, 'Transfer-Encoding: chunked\r\n')}5\r\nhelloXX\r\n0\r\n\r\n${head(path, sized(form))}${form}`,
    )
    expect(statuses(answers)).toEqual([400])
  })

  it('an absolute target, another case of the path, and one that only looks like it are not the endpoint', async () => {
    const close = `Connection: close\r\n${sized(form)}`
    for (const target of [
      `http://cards.test${path}`,
      `${path}/`,
      `/.${path}`,
      `${path}%2f`,
      `/x/..${path}`,
      `/${path}`,
    ]) {
      const [answer] = await exchange(port(), head(target, close) + form)
      if (target === `${path}/`) continue
      expect([target, answer?.status !== 200]).toEqual([target, true])
    }
    server.upstream.clear()
  })

  it('a client that leaves before its body is whole leaves nothing behind', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(port(), '127.0.0.1', () => {
        socket.write(head(path, 'Content-Length: 500\r\n') + form, () => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
    const answers = await exchange(port(), head(path, `Connection: close\r\n${sized(form)}`) + form)
    expect(statuses(answers)).toEqual([200])
  })

  it('an upgrade is not offered', async () => {
    const lines = `Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n`
    const answers = await exchange(port(), head(path, lines, 'GET').replace(type, ''))
    expect(statuses(answers)).toEqual([405])
  })

  it('a request without a body lacks its parameters', async () => {
    const answers = await exchange(port(), head(path, 'Connection: close\r\n').replace(type, ''))
    expect([answers[0]?.status, answers[0]?.body.error]).toEqual([400, 'invalid_request'])
  })
})

describe('on the gateway', () => {
  it('a body that trickles is given up after ten seconds without a byte, and after thirty in all', async () => {
    const clock: FixedClock = fixedClock(Date.UTC(2026, 5, 1))
    const slow = await startTestServer({ yaml: oauthYaml, ownPorts: 5, clock })
    const port = portOf(slow.own[3])
    const trickle = async (byteEveryMs: number): Promise<number> => {
      const began = clock.monotonic()
      await new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1')
        let timer: NodeJS.Timeout | null = null
        socket.on('data', () => undefined)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          if (timer !== null) clearInterval(timer)
          resolve()
        })
        socket.write(head('/v1/auth/token', 'Content-Length: 500\r\n'), () => {
          let sinceByte = 0
          timer = setInterval(() => {
            clock.advance(1000)
            sinceByte += 1000
            if (sinceByte >= byteEveryMs && !socket.destroyed) {
              socket.write('x')
              sinceByte = 0
            }
            if (clock.monotonic() - began > 120_000) reject(new Error('never given up'))
          }, 5)
        })
      })
      return clock.monotonic() - began
    }
    try {
      expect(await trickle(Number.POSITIVE_INFINITY)).toBeLessThan(20_000)
      expect(await trickle(3000)).toBeLessThan(60_000)
    } finally {
      await slow.stop()
    }
  })
})
