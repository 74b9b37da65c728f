import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type ConnectionOptions, type TlsOptions } from 'node:tls'

import { describe, expect, it } from 'vitest'

import { makeAuthority } from './support/certificates.ts'

const ours = makeAuthority()
const theirs = makeAuthority()

describe('certificates of the tests', () => {
  it('say what they were asked to say, and are signed by their authority', () => {
    const { cert, key } = ours.issue({
      names: ['shop.example', '127.0.0.1'],
      notAfter: new Date('2051-02-03T04:05:06Z'),
    })
    const read = new X509Certificate(cert)
    expect(read.subjectAltName).toBe('DNS:shop.example, IP Address:127.0.0.1')
    expect(new Date(read.validTo).toISOString()).toBe('2051-02-03T04:05:06.000Z')
    expect(read.ca).toBe(false)
    expect(new X509Certificate(ours.cert).ca).toBe(true)
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(read.verify(new X509Certificate(ours.cert).publicKey)).toBe(true)
    expect(read.verify(new X509Certificate(theirs.cert).publicKey)).toBe(false)
  })

  it.each([
    { title: 'the right name', want: 'secure', names: ['localhost'], trust: ours },
    { title: 'the right address', want: 'secure', names: ['127.0.0.1'], trust: ours, servername: '' },
    { title: 'another name', want: 'ERR_TLS_CERT_ALTNAME_INVALID', names: ['other.example'], trust: ours },
    { title: 'another authority', want: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', names: ['localhost'], trust: theirs },
    { title: 'its end', want: 'CERT_HAS_EXPIRED', names: ['localhost'], trust: ours, notAfter: new Date(1_000_000) },
    { title: 'client use only', want: 'INVALID_PURPOSE', names: ['localhost'], trust: ours, client: true },
  ])('are accepted by TLS as they deserve: $title', async ({ want, names, trust, notAfter, client, servername }) => {
    const issued = ours.issue({
      names,
      ...(notAfter === undefined ? {} : { notAfter, notBefore: new Date(0) }),
      ...(client === undefined ? {} : { client }),
    })
    expect(await handshake(issued, { ca: trust.cert, servername: servername ?? 'localhost' })).toBe(want)
  })

  it('serve mutual TLS', async () => {
    const server = {
      ...ours.issue({ names: ['localhost'] }),
      ca: ours.cert,
      requestCert: true,
      rejectUnauthorized: true,
    }
    const trust = { ca: ours.cert, servername: 'localhost' }
    expect(await handshake(server, { ...trust, ...ours.issue({ names: ['gateway'], client: true }) })).toBe('secure')
    expect(await handshake(server, { ...trust, ...theirs.issue({ names: ['gateway'], client: true }) })).not.toBe(
      'secure',
    )
    expect(await handshake(server, trust)).not.toBe('secure')
  })
})

/** `secure` when the server's greeting arrived, else the code of the client's error. */
async function handshake(serverOptions: TlsOptions, clientOptions: ConnectionOptions): Promise<string> {
  const server = createServer(serverOptions, (socket) => socket.end('hello'))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  try {
    const client = connect({ host: '127.0.0.1', port, ...clientOptions })
    return await new Promise((resolve) => {
      client.once('data', () => resolve('secure'))
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
      client.once('close', () => resolve('closed'))
    })
  } finally {
    server.close()
  }
}
