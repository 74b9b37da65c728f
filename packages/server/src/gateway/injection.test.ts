import { describe, expect, it } from 'vitest'

import { Secret } from '../base/secret.ts'
import type { InjectionPlace } from '../core/apis/api.ts'
import { gatewayTo, head, key } from './testing/harness.ts'
import { request } from './testing/raw-client.ts'

const own = 'of-the-upstream'

async function seenBy(place: InjectionPlace, secret: string, target: string, ...lines: readonly string[]) {
  const { port, upstream, dataPlane } = await gatewayTo(undefined, {
    upstreamCredential: { place, secret: new Secret(secret) },
    identityHeaders: false,
  })
  const answer = await request(port, head(`GET ${target} HTTP/1.1`, 'Host: a', ...lines))
  const [seen] = upstream.seen
  return {
    answer,
    path: seen?.path,
    lines: (seen?.lines ?? []).filter(([name]) => !['Host', 'X-Request-Id'].includes(name)),
    metered: JSON.stringify(dataPlane.metered),
  }
}

describe('the upstream’s own credential (APK-2)', () => {
  it('stands in its place alone, whatever the client sent there and however it spelt it', async () => {
    const bearer = await seenBy({ in: 'bearer' }, own, '/a', 'Authorization: Bearer good')
    expect(bearer.lines).toEqual([['Authorization', `Bearer ${own}`]])
    const header = await seenBy(
      { in: 'header', name: 'x-provider-key' },
      own,
      '/a',
      key,
      'X-Provider-Key: mine',
      'x_provider_key: mine',
      'X.PROVIDER.KEY: mine',
    )
    expect(header.lines).toEqual([['x-provider-key', own]])
    const basic = await seenBy({ in: 'basic' }, `me:${own}`, '/a', key)
    expect(basic.lines).toEqual([['Authorization', `Basic ${Buffer.from(`me:${own}`).toString('base64')}`]])
  })

  it('takes the place of a parameter of its name, and no other', async () => {
    const place = { in: 'query', name: 'key' } as const
    expect((await seenBy(place, 'a&b', '/a?x=1&key=mine&k%65y=mine', key)).path).toBe('/a?x=1&key=a%26b')
    expect((await seenBy(place, own, '/a', key)).path).toBe(`/a?key=${own}`)
    expect((await seenBy(place, own, '/a?key=mine', key)).path).toBe(`/a?key=${own}`)
  })

  it('reaches neither the client nor what is metered', async () => {
    const { answer, metered } = await seenBy({ in: 'bearer' }, own, '/a', key)
    expect(JSON.stringify([answer.lines, answer.body])).not.toContain(own)
    expect(metered).not.toContain(own)
  })

  it('is in no header of an answer, though the upstream repeats it', async () => {
    const secret = 'of/the+upstream'
    const { port } = await gatewayTo(
      (_seen, socket) =>
        void socket.write(
          'HTTP/1.1 302 Found\r\nLocation: /b?x=1&key=of%2Fthe%2Bupstream\r\nX-Echo: of/the+upstream\r\nContent-Length: 0\r\n\r\n',
        ),
      { upstreamCredential: { place: { in: 'query', name: 'key' }, secret: new Secret(secret) } },
    )
    const answer = await request(port, head('GET /a HTTP/1.1', 'Host: a', key))
    expect([answer.header('location'), answer.header('x-echo')]).toEqual([['/b?x=1'], []])
  })

  it.each([
    ['Basic as it was sent', 'Basic TOKEN'],
    ['its token alone', 'TOKEN'],
    ['the password alone', 'pa/ss+word'],
    ['percent-encoded in lower case', 'https://a/?p=pa%2fss%2bword'],
    ['percent-encoded where nobody has to', '%70a%2Fss+wor%64'],
  ])('is in no header of an answer as %s', async (_name, echo) => {
    const secret = 'user:pa/ss+word'
    const value = echo.replace('TOKEN', Buffer.from(secret).toString('base64'))
    const { port } = await gatewayTo(
      (_seen, socket) =>
        void socket.write(`HTTP/1.1 200 OK\r\nX-Echo: ${value}\r\nX-Other: 100%\r\nContent-Length: 0\r\n\r\n`),
      { upstreamCredential: { place: { in: 'basic' }, secret: new Secret(secret) } },
    )
    const answer = await request(port, head('GET /a HTTP/1.1', 'Host: a', key))
    expect([answer.header('x-echo'), answer.header('x-other')]).toEqual([[], ['100%']])
  })

  it('comes without identity headers where the upstream need not know who calls', async () => {
    const { lines } = await seenBy(
      { in: 'bearer' },
      own,
      '/a',
      key,
      'X-Postern-Account: forged',
      'X-Forwarded-For: 1.2.3.4',
    )
    expect(lines.map(([name]) => name)).toEqual(['Authorization'])
  })
})
