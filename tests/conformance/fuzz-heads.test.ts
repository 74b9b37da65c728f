import { describe, expect, it } from 'vitest'

import { judge, type Expected } from '../../fuzz/heads/judge.ts'
import type { Observation } from '../../fuzz/heads/observe.ts'
import { fuzzHeads } from '../../fuzz/heads/run.ts'
import { readRequests } from '../../fuzz/strict/request.ts'

describe('two thousand heads', () => {
  it('go on as a strict parser reads them, or are refused', async () => {
    const { cases, forwarded, refused, failures } = await fuzzHeads({ seed: 58, count: 2_000, progress: () => {} })
    expect(failures).toEqual([])
    expect(cases).toBe(2_000)
    // A gateway that refuses everything would pass as well.
    expect(forwarded).toBeGreaterThan(600)
    expect([...refused.keys()]).toEqual(expect.arrayContaining([400, 401, 431]))
  })
})

describe('the judge of the fuzz', () => {
  const expected: Expected = { identity: new Map([['x-postern-api', 'shop']]) }
  const own = 'Host: u\r\nX-Postern-Api: shop\r\nX-Postern-Request: req_1\r\nX-Request-Id: req_1\r\n'
  const answer = (echo: number): string => `HTTP/1.1 200 OK\r\nX-Echo: ${echo}\r\nContent-Length: 1\r\n\r\n${echo}`
  const refusal = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'
  /** One connection to the upstream over which these bytes came. */
  const seen = (sent: string, received: string, upstream: string, more: Partial<Observation> = {}): Observation => ({
    sent,
    received,
    closed: false,
    whole: readRequests(upstream).requests,
    connections: upstream === '' ? [] : [{ bytes: upstream, left: false }],
    hung: null,
    ...more,
  })
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
  const forwarded = `GET / HTTP/1.1\r\n${own}\r\n`
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi'

  it.each([
    ['one for one', seen(get, answer(0), forwarded)],
    ['two for two', seen(get + get, answer(0) + answer(1), forwarded + forwarded)],
    ['a refusal', seen('NO', refusal, '', { closed: true })],
    [
      'a body in another framing',
      seen(post, answer(0), `POST / HTTP/1.1\r\n${own}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`),
    ],
    [
      'half a body that is given up',
      seen(post.slice(0, -1), '', `POST / HTTP/1.1\r\n${own}Content-Length: 2\r\n\r\nh`, {
        connections: [{ bytes: `POST / HTTP/1.1\r\n${own}Content-Length: 2\r\n\r\nh`, left: true }],
      }),
    ],
  ])('finds nothing in %s', (_name, observation) => {
    expect(judge(observation, expected).fault).toBeNull()
  })

  it.each([
    ['two for one', seen(get, answer(0), forwarded + forwarded), 'one request is one request'],
    [
      'two answers for one',
      seen(get, answer(0) + answer(1), forwarded + forwarded),
      'answers are whole and one for each request',
    ],
    [
      'an answer of another request',
      seen(get + get, answer(1) + answer(0), forwarded + forwarded),
      'answers keep their order',
    ],
    ['another method', seen(get, answer(0), forwarded.replace('GET', 'PUT')), 'forwarded as sent'],
    ['another target', seen(get.replace('/', '/a/../b'), answer(0), forwarded.replace('/', '/b')), 'forwarded as sent'],
    [
      'a body that grew',
      seen(post, answer(0), `POST / HTTP/1.1\r\n${own}Content-Length: 3\r\n\r\nhi!`),
      'forwarded as sent',
    ],
    [
      'half a body made whole',
      seen(post.slice(0, -1), answer(0), `POST / HTTP/1.1\r\n${own}Content-Length: 1\r\n\r\nh`),
      'nothing is forwarded that cannot be read',
    ],
    [
      'a request that has no reading',
      seen(get.replace('Host', ' Host'), answer(0), forwarded),
      'nothing is forwarded that cannot be read',
    ],
    [
      'a line that nobody sent',
      seen(get, answer(0), forwarded.replace('\r\n\r\n', '\r\nX-A: 1\r\n\r\n')),
      'forwarded as sent',
    ],
    [
      'an identity that a client chose',
      seen(
        get.replace('\r\n\r\n', '\r\nx_postern_api: evil\r\n\r\n'),
        answer(0),
        forwarded.replace('\r\n\r\n', '\r\nx_postern_api: evil\r\n\r\n'),
      ),
      'only the gateway says who it is',
    ],
    [
      'no identity',
      seen(get, answer(0), forwarded.replace('X-Postern-Api: shop\r\n', '')),
      'only the gateway says who it is',
    ],
    ['what is no HTTP', seen(get, answer(0), `${forwarded}X\n`), 'what is forwarded is HTTP'],
    ['half a request that is not given up', seen(get, answer(0), `${forwarded}GET`), 'half a request is given up'],
    [
      'a fault of our own',
      seen(get, 'HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n', ''),
      'what is not forwarded is refused',
    ],
    [
      'a connection that stays open behind a refusal',
      seen('NO\r\n', refusal, ''),
      'answers are whole and one for each request',
    ],
    ['a wait without end', seen(get, '', '', { hung: 'an answer' }), 'no hang'],
  ])('finds %s', (_name, observation, rule) => {
    expect(judge(observation, expected).fault?.rule).toBe(rule)
  })
})
