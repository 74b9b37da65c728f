import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { makeAuthority } from '../../../../../tests/support/certificates.ts'
import { Secret } from '../../base/secret.ts'
import { defaultPassive, singleUpstream, targetAt, type Upstream } from '../../core/apis/upstream.ts'
import { gatewayTo, head, key } from '../testing/harness.ts'
import { rawClient, request } from '../testing/raw-client.ts'

const authority = makeAuthority()
const stranger = makeAuthority()
const pem = authority.issue({ names: ['up.example', '127.0.0.1'] })
const get = head('GET / HTTP/1.1', 'Host: a', key)

/** An upstream over TLS that says whose certificate its client showed. */
async function secureUpstream(mutual = false, big = 0): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const options = { ...pem, ca: authority.cert, requestCert: mutual, rejectUnauthorized: mutual }
  const server = createServer(options, (asked, response) => {
    seen.push(asked.url ?? '')
    asked.resume()
    asked.on('end', () => response.end(big > 0 ? Buffer.alloc(big, 'x') : 'secure'))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, seen }
}

/** An upstream of that one target, of which one failure is told. */
function only(port: number, { ca, cert, key: ownKey, serverName = null }: Shown): Upstream {
  const client = cert === undefined || ownKey === undefined ? null : { cert, key: new Secret(ownKey) }
  const target = targetAt(new URL(`https://127.0.0.1:${port}`), { tls: { ca: ca ?? null, client, serverName } })
  return {
    ...singleUpstream('shop', new URL('http://a')),
    targets: [target],
    passive: { ...defaultPassive, failures: 1 },
  }
}

interface Shown {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly serverName?: string | null
}

describe('an upstream over TLS', () => {
  it('is spoken to where the declared authority vouches for it, by its address or by a declared name', async () => {
    const { port, seen } = await secureUpstream()
    for (const serverName of [null, 'up.example']) {
      const gateway = await gatewayTo(undefined, { upstream: only(port, { ca: authority.cert, serverName }) })
      for (let i = 0; i < 2; i++) expect((await request(gateway.port, get)).body).toBe('secure')
      expect(gateway.targetChanges).toEqual([])
    }
    expect(seen).toHaveLength(4)
  })

  it.each([
    ['another authority', { ca: stranger.cert }],
    ['no authority that is known', {}],
    ['another name', { ca: authority.cert, serverName: 'other.example' }],
  ])('is 502 with %s, and hears nothing', async (_name, tls) => {
    const { port, seen } = await secureUpstream()
    const gateway = await gatewayTo(undefined, { upstream: only(port, tls) })
    expect((await request(gateway.port, get)).status).toBe(502)
    expect([seen, gateway.faults]).toEqual([[], ['gateway.upstream_failed']])
    expect(gateway.targetChanges).toEqual([`failing https://127.0.0.1:${port}: no connection could be made`])
  })

  it('is 502 too where the environment would have Node trust anybody', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { port, seen } = await secureUpstream()
    const gateway = await gatewayTo(undefined, { upstream: only(port, {}) })
    expect((await request(gateway.port, get)).status).toBe(502)
    expect(seen).toEqual([])
  })

  it('is shown our certificate where it asks for one', async () => {
    const { port } = await secureUpstream(true)
    const own = authority.issue({ names: ['gateway'], client: true })
    const known = await gatewayTo(undefined, { upstream: only(port, { ca: authority.cert, ...own }) })
    expect((await request(known.port, get)).body).toBe('secure')
    const nobody = await gatewayTo(undefined, { upstream: only(port, { ca: authority.cert }) })
    expect((await request(nobody.port, get)).status).toBe(502)
  })

  it('passes large bodies both ways', async () => {
    const size = 5_000_000
    const { port } = await secureUpstream(false, size)
    const gateway = await gatewayTo(undefined, { upstream: only(port, { ca: authority.cert }) })
    const client = rawClient(gateway.port)
    client.send(head('POST / HTTP/1.1', 'Host: a', key, `Content-Length: ${size}`))
    client.socket.write(Buffer.alloc(size))
    const answer = await client.answer()
    expect([answer.status, answer.body === 'x'.repeat(size)]).toEqual([200, true])
    client.socket.destroy()
  })
})
