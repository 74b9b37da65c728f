import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { type Authority, makeAuthority } from '../../../../tests/support/certificates.ts'
import { type Clock, fixedClock, systemClock } from '../base/clock.ts'
import { systemRandom } from '../base/random.ts'
import { Secret } from '../base/secret.ts'
import type { Certificate, TlsSettings } from '../core/tls/certificate.ts'
import { createTerminator } from './terminator.ts'

const authority = makeAuthority()

function certificate(names: readonly string[], by: Authority = authority): Certificate {
  const { cert, key } = by.issue({ names })
  return { file: '/tls/test.pem', names, chain: cert, key: new Secret(key), expiresAt: 0 }
}

function settings(certificates: readonly Certificate[], more: Partial<TlsSettings> = {}): TlsSettings {
  return { listeners: ['gateway'], certificates, minVersion: 'TLSv1.2', hsts: null, ...more }
}

const shop = certificate(['shop.example'])
const everyShop = certificate(['*.shop.example'])
const pay = certificate(['pay.example'])

async function listening(
  first: TlsSettings | null,
  options: { readonly clock?: Clock; readonly handshakeMs?: number } = {},
) {
  const failures: string[] = []
  const terminator = createTerminator({
    clock: options.clock ?? systemClock,
    random: systemRandom,
    handshakeMs: options.handshakeMs ?? 5_000,
    onFailure: (_listener, code) => void failures.push(code),
  })
  terminator.prepare(first)()
  const server = createServer((req: IncomingMessage, res) => {
    res.end(req.socket instanceof TLSSocket ? `encrypted for ${req.socket.remoteAddress ?? ''}` : 'in clear')
  })
  const handshakes = terminator.face('gateway').attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
    terminator.stop()
  })
  return { port: (server.address() as AddressInfo).port, terminator, failures, server, handshakes }
}

interface Seen {
  readonly body: string
  readonly protocol: string | null
  readonly suite: string
  readonly reused: boolean
  readonly shown: string
  readonly session: Buffer | undefined
}

const hello = 'GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'

/** One request over TLS; the code of the error where there is no connection. */
function ask(port: number, options: ConnectionOptions = {}): Promise<Seen | string> {
  return new Promise((resolve) => {
    let seen: Seen | null = null
    let session: Buffer | undefined
    let text = ''
    const socket = connectTls({ port, host: '127.0.0.1', ca: authority.cert, servername: 'shop.example', ...options })
    socket.on('session', (data) => (session = data))
    socket.on('secureConnect', () => {
      const { subjectaltname = '' } = socket.getPeerCertificate()
      const [protocol, suite, reused] = [socket.getProtocol(), socket.getCipher().name, socket.isSessionReused()]
      seen = { body: '', protocol, suite, reused, shown: subjectaltname.replace('DNS:', ''), session: undefined }
      socket.write(hello)
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () =>
      resolve(seen === null ? 'closed' : { ...seen, session, body: text.slice(text.indexOf('\r\n\r\n') + 4) }),
    )
  })
}

/** Resolves with everything that came once the other end closes. */
function untilClosed(socket: Socket): Promise<string> {
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    socket.on('close', () => resolve(text))
  })
}

describe('versions and suites (14)', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s is spoken, and the request reaches the server decrypted', async (v) => {
    const { port } = await listening(settings([shop]))
    expect(await ask(port, { minVersion: v, maxVersion: v })).toMatchObject({
      protocol: v,
      body: 'encrypted for 127.0.0.1',
    })
  })

  it.each(['TLSv1', 'TLSv1.1'] as const)('%s is not', async (version) => {
    const { port, failures } = await listening(settings([shop]))
    const old = { minVersion: 'TLSv1', maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' } as const
    expect(await ask(port, old)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
    expect(failures).toEqual(['ERR_SSL_UNSUPPORTED_PROTOCOL'])
  })

  it('TLS 1.2 is refused where 1.3 is the least', async () => {
    const { port } = await listening(settings([shop], { minVersion: 'TLSv1.3' }))
    expect(await ask(port, { maxVersion: 'TLSv1.2' })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
    expect(await ask(port)).toMatchObject({ protocol: 'TLSv1.3' })
  })

  it.each(['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'])('%s is spoken', async (suite) => {
    const { port } = await listening(settings([shop]))
    expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers: suite })).toMatchObject({ suite })
  })

  it.each(['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-CCM8'])(
    '%s, without forward secrecy or authenticated encryption, is not',
    async (suite) => {
      const { port } = await listening(settings([shop]))
      const ciphers = `${suite}:@SECLEVEL=0`
      expect(await ask(port, { maxVersion: 'TLSv1.2', ciphers })).toMatch(/HANDSHAKE_FAILURE|NO_SHARED_CIPHER/)
    },
  )

  it('HTTP/1.1 is what is agreed on; a client that speaks HTTP/2 alone is told so', async () => {
    const { port } = await listening(settings([shop]))
    expect(await ask(port, { ALPNProtocols: ['h2', 'http/1.1'] })).toMatchObject({ body: 'encrypted for 127.0.0.1' })
    expect(await ask(port, { ALPNProtocols: ['h2'] })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  })

  it('a client cannot renegotiate', async () => {
    const { port } = await listening(settings([shop]))
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      ca: authority.cert,
      servername: 'shop.example',
      maxVersion: 'TLSv1.2',
    })
    await once(socket, 'secureConnect')
    const refused = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve)
      socket.renegotiate({}, resolve)
    })
    expect(refused).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' })
    socket.destroy()
  })
})

describe('the certificate', () => {
  it('is that of the name which the client asks for, otherwise the first', async () => {
    const { port } = await listening(settings([shop, everyShop, pay]))
    const shown = async (servername: string) => {
      const seen = await ask(port, { servername, rejectUnauthorized: false })
      return typeof seen === 'string' ? seen : seen.shown
    }
    expect(await shown('shop.example')).toBe('shop.example')
    expect(await shown('eu.shop.example')).toBe('*.shop.example')
    expect(await shown('PAY.example')).toBe('pay.example')
    expect(await shown('unknown.example')).toBe('shop.example')
    expect(await shown('')).toBe('shop.example')
    expect(await shown('a'.repeat(255))).toBe('shop.example')
  })

  it('changes for new connections, while those that are open go on', async () => {
    const { port, terminator } = await listening(settings([shop]))
    const open = connectTls({ port, host: '127.0.0.1', ca: authority.cert, servername: 'shop.example' })
    await once(open, 'secureConnect')
    const others = makeAuthority()
    terminator.prepare(settings([certificate(['shop.example'], others)]))()
    expect(await ask(port)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await ask(port, { ca: others.cert })).toMatchObject({ body: 'encrypted for 127.0.0.1' })
    expect(await ask(port, { ca: others.cert, servername: '', checkServerIdentity: () => undefined })).toMatchObject({
      shown: 'shop.example',
    })
    open.write(hello)
    expect(await untilClosed(open)).toContain('encrypted for 127.0.0.1')
  })

  it('that cannot be used changes nothing', async () => {
    const { port, terminator } = await listening(settings([shop]))
    expect(() => terminator.prepare(settings([{ ...shop, key: pay.key }]))).toThrow('key values mismatch')
    expect(await ask(port)).toMatchObject({ shown: 'shop.example' })
  })

  it('is asked for on a listener that spoke plain HTTP until now, and no longer when it is taken away', async () => {
    const { port, terminator } = await listening(null)
    const plain = () => {
      const socket = connect(port, '127.0.0.1')
      socket.write(hello)
      return untilClosed(socket)
    }
    expect(terminator.face('gateway').on()).toBe(false)
    expect(await plain()).toContain('in clear')
    terminator.prepare(settings([shop]))()
    expect([terminator.face('gateway').on(), terminator.face('console').on()]).toEqual([true, false])
    expect(await ask(port)).toMatchObject({ shown: 'shop.example' })
    terminator.prepare(null)()
    expect(await plain()).toContain('in clear')
  })
})

describe('sessions', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('of %s are resumed by ticket until its key is changed', async (version) => {
    const clock = fixedClock()
    const { port } = await listening(settings([shop]), { clock })
    const first = await ask(port, { maxVersion: version })
    const session = typeof first === 'string' ? undefined : first.session
    if (session === undefined) throw new Error('there was no session')
    expect(await ask(port, { maxVersion: version, session })).toMatchObject({ reused: true })
    clock.advance(12 * 3_600_000)
    expect(await ask(port, { maxVersion: version, session })).toMatchObject({ reused: false })
  })
})

describe('what is no TLS', () => {
  it('is let through where it is HTTP, byte by byte too, for the listener to answer', async () => {
    const { port } = await listening(settings([shop]))
    const socket = connect(port, '127.0.0.1').setNoDelay()
    for (const byte of hello) socket.write(byte)
    expect(await untilClosed(socket)).toContain('in clear')
  })

  it('is ended at once where it is neither', async () => {
    const { port, failures } = await listening(settings([shop]))
    const socket = connect(port, '127.0.0.1')
    socket.write(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8]))
    await untilClosed(socket)
    expect(failures).toEqual([expect.stringMatching(/^ERR_SSL_/)])
    expect(await ask(port)).toMatchObject({ shown: 'shop.example' })
  })

  it('is ended when nothing comes at all', async () => {
    const clock = fixedClock()
    const { port, server } = await listening(settings([shop]), { clock, handshakeMs: 300 })
    const accepted = once(server, 'connection')
    const socket = connect(port, '127.0.0.1')
    await accepted
    clock.advance(300)
    expect(await untilClosed(socket)).toBe('')
  })

  it('leaves nothing behind where the client goes at once', async () => {
    const { port, server } = await listening(settings([shop]))
    const accepted = once(server, 'connection')
    const socket = connect(port, '127.0.0.1')
    await accepted
    socket.resetAndDestroy()
    expect(await ask(port)).toMatchObject({ shown: 'shop.example' })
  })
})

describe('a handshake', () => {
  it('is counted until it has ended, whichever way', async () => {
    const { port, handshakes, server } = await listening(settings([shop]))
    const counts = async (socket: Socket) => {
      const before = handshakes.shaking()
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
      await vi.waitFor(() => expect(handshakes.shaking()).toBe(0))
      return before
    }
    const accepted = once(server, 'connection')
    const silent = connect(port, '127.0.0.1')
    await accepted
    expect(await counts(silent)).toBe(1)
    const done = connectTls({ port, host: '127.0.0.1', ca: authority.cert, servername: 'shop.example' })
    await once(done, 'session')
    expect(await counts(done)).toBe(0)
    expect(await ask(port, { ca: makeAuthority().cert })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    const plain = connect(port, '127.0.0.1')
    plain.write(hello)
    await untilClosed(plain)
    await vi.waitFor(() => expect(handshakes.shaking()).toBe(0))
  })

  it('that drips is ended in time, however often something comes', async () => {
    const { port, failures } = await listening(settings([shop]), { handshakeMs: 300 })
    const socket = connect(port, '127.0.0.1').setNoDelay()
    socket.write(Buffer.from([0x16, 3, 1, 2, 0]))
    const drip = setInterval(() => socket.write(Buffer.from([1])), 20)
    await untilClosed(socket)
    clearInterval(drip)
    expect(failures).toEqual(['ERR_TLS_HANDSHAKE_TIMEOUT'])
  })
})
