import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { gzipSync } from 'node:zlib'

import { describe, expect, it, onTestFinished } from 'vitest'

import { makeAuthority } from '../../../../tests/support/certificates.ts'
import { type Clock, fixedClock, systemClock } from '../base/clock.ts'
import { compileIpRanges } from '../base/ip.ts'
import { systemRandom } from '../base/random.ts'
import { anIssuer, theClaims } from '../core/issuers/testing/issuer.ts'
import { createIssuers, type Issuers } from '../core/issuers/verifier.ts'
import { aSigner } from '../core/jose/testing/signer.ts'
import { digestWords } from '../core/records/digest-words.ts'
import { noon } from '../core/testing/world.ts'
import type { JwtVerdict } from '../core/tokens/jwt-verifier.ts'
import { createOutbound, type OutboundOptions } from './client.ts'

const authority = makeAuthority()
const signer = aSigner('k1')
const keys = JSON.stringify({ keys: [signer.jwk] })
const token = signer.sign(theClaims({ exp: 4_000_000_000 }))
const good = (response: ServerResponse) => response.writeHead(200, { 'cache-control': 'max-age=60' }).end(keys)

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** The issuer's server at login.corp.example, on a loopback address; its connections are counted. */
async function aServer(handler: Handler, from = authority) {
  const server = createServer(from.issue({ names: ['login.corp.example'] }), handler)
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // A server that listens on a port has an address with one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const { port } = server.address() as AddressInfo
  return { port, connections: () => connections }
}

function issuersAt(
  port: number,
  more: Partial<OutboundOptions> & { clock?: Clock; allowed?: readonly string[] } = {},
): Issuers {
  const { clock = systemClock, allowed = ['127.0.0.0/8'], ...options } = more
  const issuers = createIssuers({
    clock,
    random: systemRandom,
    outbound: createOutbound({ clock, lookup: () => Promise.resolve(['127.0.0.1']), ca: authority.cert, ...options }),
    tell: () => {},
    own: null,
  })
  const jwksUri = new URL(`https://login.corp.example:${port}/keys`)
  issuers.use([anIssuer({ jwksUri, allowedPrivate: compileIpRanges(allowed) })])
  onTestFinished(() => issuers.stop())
  return issuers
}

async function settled(issuers: Issuers, text = token, at = { now: noon, monotonic: 0 }): Promise<JwtVerdict> {
  const words = new Int32Array(8)
  digestWords(text, words)
  const first = issuers.verify(text, words, at)
  if (first.kind !== 'pending') return first
  await first.fetched
  return issuers.verify(text, words, at)
}

const failing = (issuers: Issuers) => issuers.status().map((status) => status.failing)

describe('the keys of an issuer, over the network (security 50)', () => {
  it('come from the URL that is declared, with one request for twenty tokens', async () => {
    const seen: unknown[] = []
    const server = await aServer((request, response) => {
      const { host, accept, authorization } = request.headers
      seen.push([request.method, request.url, host, accept, authorization])
      good(response)
    })
    const issuers = issuersAt(server.port)
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => settled(issuers)))
    expect(verdicts.map(({ kind }) => kind)).toEqual(Array.from({ length: 20 }, () => 'foreign'))
    expect(seen).toEqual([
      ['GET', '/keys', `login.corp.example:${server.port}`, 'application/jwk-set+json, application/json', undefined],
    ])
  })

  it('come from no URL that a token names', async () => {
    const evil = await aServer((_request, response) => response.end(JSON.stringify({ keys: [aSigner('evil').jwk] })))
    const server = await aServer((_request, response) => good(response))
    const issuers = issuersAt(server.port)
    const url = `https://login.corp.example:${evil.port}/keys`
    for (const [header, claims] of [
      [{ jku: url }, {}],
      [{ x5u: url }, {}],
      [{ kid: url }, {}],
      [{ jku: url, crit: ['jku'] }, {}],
      [{}, { iss: url }],
      [{}, { jwks_uri: url, jku: url }],
      [{ typ: url }, {}],
    ] as const)
      await settled(issuers, aSigner('evil').sign(theClaims(claims), header))
    expect([evil.connections(), server.connections()]).toEqual([0, 1])
  })

  it('are not looked for where a redirect says', async () => {
    const inside = await aServer((_request, response) => good(response))
    for (const status of [301, 302, 303, 307, 308]) {
      const server = await aServer((_request, response) =>
        response.writeHead(status, { location: `https://127.0.0.1:${inside.port}/keys` }).end(),
      )
      const issuers = issuersAt(server.port)
      expect([(await settled(issuers)).kind, failing(issuers)]).toEqual(['unavailable', [`answered ${status}`]])
    }
    expect(inside.connections()).toBe(0)
  })

  it('are not asked for at an address that is not public, unless it is one that is allowed', async () => {
    const server = await aServer((_request, response) => good(response))
    for (const allowed of [[], ['10.0.0.0/8'], ['127.0.0.2']]) {
      const issuers = issuersAt(server.port, { allowed })
      expect([(await settled(issuers)).kind, failing(issuers)]).toEqual(['unavailable', ['address_forbidden']])
    }
    expect(server.connections()).toBe(0)
  })

  it('are not asked for at another address once the name moves there, and the last ones serve on', async () => {
    const server = await aServer((_request, response) => good(response))
    const clock = fixedClock(noon)
    const addresses = ['127.0.0.1', '127.0.0.2', '169.254.169.254', '127.0.0.1']
    const lookedUp: string[] = []
    const lookup = () => {
      const address = addresses[lookedUp.length] ?? '127.0.0.1'
      lookedUp.push(address)
      return Promise.resolve([address])
    }
    const issuers = issuersAt(server.port, { clock, allowed: ['127.0.0.1'], lookup })
    /** Moves the clock until the name is looked up again; then what that begins comes to its end. */
    const again = async (reason: string | null) => {
      for (const before = lookedUp.length; lookedUp.length === before;) clock.advance(100)
      await expect.poll(() => failing(issuers)).toEqual([reason])
      const at = { now: clock.now(), monotonic: clock.monotonic() }
      return [(await settled(issuers, token, at)).kind, server.connections()]
    }
    expect((await settled(issuers)).kind).toBe('foreign')
    expect(await again('address_forbidden')).toEqual(['foreign', 1])
    expect(await again('address_forbidden')).toEqual(['foreign', 1])
    expect(await again(null)).toEqual(['foreign', 2])
  })

  it.each<[string, Handler, string]>([
    ['garbage', (_request, response) => void response.end('<html>sign in</html>'), 'not a JWK Set'],
    ['nothing', (_request, response) => void response.end(), 'not a JWK Set'],
    [
      'what is not UTF-8',
      (_request, response) => void response.end(Buffer.from('{"keys":[],"a":"\xff\xfe"', 'latin1')),
      'not a JWK Set',
    ],
    [
      'what is compressed',
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(keys)),
      'not a JWK Set',
    ],
    ['more than 1 MiB', (_request, response) => void response.end(`${keys}${' '.repeat(1_048_577)}`), 'too large'],
    [
      'what does not end',
      (_request, response) => {
        const more = (): void => {
          while (response.write(' '.repeat(65_536)));
          response.once('drain', more)
        }
        more()
      },
      'too large',
    ],
    [
      'too many keys',
      (_request, response) => void response.end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })),
      'more than 100 keys',
    ],
    ['a fault', (_request, response) => void response.writeHead(503).end(keys), 'answered 503'],
    [
      'half of it',
      (_request, response) =>
        void (response.writeHead(200, { 'content-length': '9999' }).write(keys),
        setImmediate(() => response.destroy())),
      'unreachable',
    ],
    [
      'another protocol',
      (_request, response) => void response.writeHead(101, { upgrade: 'x', connection: 'upgrade' }).end(),
      'answered 101',
    ],
  ])('that are %s make the token 503', async (_what, handler, reason) => {
    const server = await aServer(handler)
    const issuers = issuersAt(server.port)
    expect(await settled(issuers)).toMatchObject({ kind: 'unavailable', reason: 'keys of the issuer' })
    expect(failing(issuers)).toEqual([reason])
  })

  it('that take longer than five seconds make the token 503', async () => {
    const arrived = Promise.withResolvers<undefined>()
    const server = await aServer((_request, response) => {
      response.write('{"keys":')
      arrived.resolve(undefined)
    })
    const clock = fixedClock(noon)
    const issuers = issuersAt(server.port, { clock })
    const verdict = settled(issuers)
    await arrived.promise
    clock.advance(4_999)
    expect(await Promise.race([verdict, new Promise((resolve) => setImmediate(resolve, 'waiting'))])).toBe('waiting')
    clock.advance(1)
    expect([(await verdict).kind, failing(issuers)]).toEqual(['unavailable', ['timeout']])
  })

  it('of a server that is down, or that another authority vouches for, make the token 503', async () => {
    const strange = await aServer((_request, response) => good(response), makeAuthority())
    const plain = createRawServer((socket) => void socket.end(`HTTP/1.1 200 OK\r\n\r\n${keys}`))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void plain.close())
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    const { port } = plain.address() as AddressInfo
    for (const [at, reason] of [
      [strange.port, 'tls_failed'],
      [port, 'tls_failed'],
      [9, 'unreachable'],
    ] as const) {
      const issuers = issuersAt(at)
      expect([(await settled(issuers)).kind, failing(issuers)]).toEqual(['unavailable', [reason]])
    }
  })
})
