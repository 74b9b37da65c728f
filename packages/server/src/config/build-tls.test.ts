import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeAuthority } from '../../../../tests/support/certificates.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const now = Date.parse('2026-07-01T00:00:00Z')
const day = 86_400_000
const authority = makeAuthority()
const good = authority.issue({
  names: ['api.example', '*.shop.example', '192.0.2.1'],
  notBefore: new Date(now - day),
  notAfter: new Date(now + 90 * day),
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-tls-config-'))
  put('good.pem', good.cert)
  put('good.key', good.key)
})
afterAll(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string, mode = 0o600): void {
  writeFileSync(join(folder, name), text)
  chmodSync(join(folder, name), mode)
}

function load(listen: string, rest = '', at: number | null = now) {
  const text = `version: 1\nbrand: acme\nlisten:\n${listen}\n${rest}`
  return loadConfigText(text, { file: join(folder, 'postern.yaml'), env: {}, ...(at !== null && { now: at }) })
}

const pair = (cert: string, key: string) => `  tls:\n    certificates:\n      - {cert: ./${cert}, key: ./${key}}`
const shown = (line: Parameters<typeof formatConfigError>[0]) => formatConfigError(line).replaceAll(`${folder}/`, '')

function errors(listen: string, at: number | null = now): readonly string[] {
  const loaded = load(listen, '', at)
  return loaded.ok ? [] : loaded.error.map(shown)
}

function notes(listen: string, rest = ''): readonly string[] {
  const loaded = load(listen, rest)
  if (!loaded.ok) throw new Error(loaded.error.map(shown).join('\n'))
  return loaded.value.notes.map(shown)
}

describe('listen.tls', () => {
  it('reads certificates and keys; gateway and console speak TLS 1.2 and 1.3', () => {
    const loaded = load(`${pair('good.pem', 'good.key')}\n    hsts: 180d\n    hsts_subdomains: true`)
    if (!loaded.ok) throw new Error(loaded.error.map(shown).join('\n'))
    const { tls } = loaded.value.listen
    expect(tls).toMatchObject({
      listeners: ['gateway', 'console'],
      minVersion: 'TLSv1.2',
      hsts: 'max-age=15552000; includeSubDomains',
      certificates: [
        {
          file: join(folder, 'good.pem'),
          names: ['api.example', '*.shop.example', '192.0.2.1'],
          chain: good.cert,
          expiresAt: now + 90 * day,
        },
      ],
    })
    expect(tls?.certificates[0]?.key.reveal()).toBe(good.key)
    expect(inspect(loaded.value, { depth: 9 }) + JSON.stringify(tls)).not.toContain('PRIVATE KEY')
    expect(loaded.value.filesRead).toEqual(['postern.yaml', 'good.pem', 'good.key'].map((name) => join(folder, name)))
  })

  it.each(['1.3', '"1.3"'])('takes min_version: %s', (text) => {
    const loaded = load(`${pair('good.pem', 'good.key')}\n    min_version: ${text}\n    listeners: [ops]`)
    expect(loaded.ok && loaded.value.listen.tls).toMatchObject({ minVersion: 'TLSv1.3', listeners: ['ops'] })
  })

  it('changes the fingerprint when a certificate does', () => {
    put('moving.pem', good.cert)
    const print = () => {
      const loaded = load(pair('moving.pem', 'good.key'))
      return loaded.ok && loaded.value.fingerprint
    }
    const before = print()
    put('moving.pem', `${good.cert}\n`)
    expect(print()).not.toBe(before)
  })

  it('is refused with its line where the certificate cannot serve', () => {
    put('text.pem', 'hello')
    put('broken.pem', good.cert.replace(/[A-Za-z0-9]{20}/, 'A'.repeat(20)))
    put('huge.pem', good.cert.repeat(600))
    put('chain.pem', `${good.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`)
    const refused = (name: string, problem: string) =>
      expect(errors(pair(name, 'good.key'))).toEqual([
        expect.stringMatching(`^postern.yaml:6:16 listen.tls.certificates\\[0\\].cert: ${problem}`),
      ])
    refused('none.pem', 'none.pem cannot be read: there is no such file$')
    refused('text.pem', 'holds no certificate in PEM form \\("BEGIN CERTIFICATE"\\)$')
    refused('broken.pem', 'holds no certificate')
    refused('huge.pem', 'holds no certificate')
    refused('chain.pem', 'cannot be used by a server: ')
  })

  it('is refused with its line where the key cannot serve, or is open to everyone', () => {
    put('other.key', authority.issue({ names: ['other.example'] }).key)
    put('text.key', 'hello')
    put('locked.key', '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIC\n-----END ENCRYPTED PRIVATE KEY-----\n')
    put('open.key', good.key, 0o604)
    put('group.key', good.key, 0o640)
    const refused = (name: string, problem: string) =>
      expect(errors(pair('good.pem', name))).toEqual([`postern.yaml:6:33 listen.tls.certificates[0].key: ${problem}`])
    const notPem = 'holds no private key in PEM form, or one that is locked by a passphrase'
    refused('none.key', 'none.key cannot be read: there is no such file')
    refused('other.key', "is not the key of ./good.pem, whose first certificate must be the server's own")
    refused('text.key', notPem)
    refused('locked.key', notPem)
    refused('good.pem', notPem)
    refused('open.key', 'open.key can be read by every user of this machine; chmod 600 it, or 640')
    expect(errors(pair('good.pem', 'group.key'))).toEqual([])
  })

  it('is refused outside the time in which a certificate is valid, both instants exactly', () => {
    const at = (time: number) => errors(pair('good.pem', 'good.key'), time)
    const [from, to] = [now - day, now + 90 * day]
    const place = 'postern.yaml:6:16 listen.tls.certificates[0].cert:'
    expect(at(from - 1)).toEqual([`${place} is not valid before 2026-06-30T00:00:00.000Z`])
    expect(at(from)).toEqual([])
    expect(at(to - 1)).toEqual([])
    expect(at(to)).toEqual([`${place} expired at 2026-09-29T00:00:00.000Z`])
  })

  it('is read by those who only look, whatever the time', () => {
    expect(load(pair('good.pem', 'good.key'), '', null).ok).toBe(true)
  })

  it('notes a certificate that ends within two weeks', () => {
    const loaded = load(pair('good.pem', 'good.key'), '', now + 77 * day)
    expect(loaded.ok && loaded.value.notes.map(({ message }) => message)).toEqual([
      'expires at 2026-09-29T00:00:00.000Z, in 13 days',
      'no certificate of listen.tls names localhost',
    ])
  })

  it('notes addresses and a public_url that no certificate names', () => {
    const api = (id: string, address: string) =>
      `  ${id}: {address: "${address}", upstream: "http://127.0.0.1:1", unmatched: forward}\n`
    const apis = `apis:\n${api('a', 'api.example/v1')}${api('b', 'a.b.shop.example')}${api('c', ':9001')}${api('d', 'eu.shop.example')}`
    const tls = pair('good.pem', 'good.key')
    expect(notes(tls, `${apis}public_url: https://console.example`)).toEqual([
      expect.stringMatching(
        /^postern\.yaml:9:\d+ apis\.b\.address: no certificate of listen\.tls names a\.b\.shop\.example$/,
      ),
      expect.stringMatching(/public_url: no certificate of listen\.tls names console\.example$/),
    ])
    expect(notes(tls, 'public_url: https://192.0.2.1')).toEqual([])
    expect(notes(tls, 'public_url: http://localhost')).toEqual([
      expect.stringMatching(/public_url: begins with http:\/\/, but the console speaks TLS$/),
    ])
    expect(notes(`${tls}\n    listeners: [ops]`, `${apis}public_url: http://localhost`)).toEqual([])
  })

  it('says what is allowed', () => {
    const tls = pair('good.pem', 'good.key')
    expect(errors(`${tls}\n    min_version: 1.1`)).toEqual([
      'postern.yaml:7:18 listen.tls.min_version: must be 1.2 or 1.3',
    ])
    expect(errors(`${tls}\n    hsts_subdomains: true`)).toEqual([
      'postern.yaml:7:22 listen.tls.hsts_subdomains: needs hsts, which says for how long',
    ])
    expect(errors(`${tls}\n    listeners: [gatway]`)).toEqual([
      'postern.yaml:7:17 listen.tls.listeners[0]: must be gateway, console or ops; did you mean "gateway"?',
    ])
    expect(errors('  tls: {certificates: []}')).toEqual([
      'postern.yaml:4:23 listen.tls.certificates: must not be an empty list; leave it out instead',
    ])
  })
})
