import { describe, expect, it } from 'vitest'

import { ipInRanges, parseIp } from '../base/ip.ts'
import type { Route } from '../core/apis/api.ts'
import { loadConfigText } from './load.ts'

function load(api: string, more = '') {
  const text = `version: 1\nbrand: acme\n${more}apis:\n  shop:\n    address: shop.example.com\n    upstream: https://api.example.com\n${api}`
  return loadConfigText(text, { file: '/nowhere/postern.yaml', env: { KEY: 'the-key-of-the-upstream' } })
}

function routes(api: string): Record<string, Route['connection']> {
  const loaded = load(api)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  const shop = loaded.value.declaration.apis.get('shop')
  if (shop === undefined) throw new Error('no API')
  return Object.fromEntries([shop.unmatchedRoute, ...shop.routes.routes].map(({ id, connection }) => [id, connection]))
}

function errors(api: string, more = ''): readonly string[] {
  const loaded = load(api, more)
  return loaded.ok ? [] : loaded.error.map(({ line, path, message }) => `${line} ${path}: ${message}`)
}

const named = (name: string) => ({ live: { name }, sandbox: { name } })

describe('connection (VCH-5)', () => {
  it('of an API holds for its routes, each of which may name another', () => {
    expect(
      routes(
        [
          '    connection: main',
          '    routes:',
          '      - {id: a, path: /a}',
          '      - {id: b, path: /b, connection: second}',
          '      - {id: c, path: /c, connection: {live: main}}',
          '      - {id: d, path: /d, connection: {platform: braze}}',
        ].join('\n'),
      ),
    ).toEqual({
      '(unmatched)': named('main'),
      a: named('main'),
      b: named('second'),
      c: { live: { name: 'main' }, sandbox: null },
      d: { live: { platform: 'braze' }, sandbox: { platform: 'braze' } },
    })
    expect(routes('    routes: [{id: a, path: /a}]')).toEqual({ '(unmatched)': null, a: null })
  })

  it.each([
    ['Main', 'must be the name of a connection'],
    ['{}', 'must not be empty'],
    ['{platform: brase}', 'no platform "brase"; there are activecampaign, batch'],
    ['{platform: brase}', 'did you mean "braze"?'],
    ['{platform: mandrill}', 'Mandrill (Mailchimp Transactional) takes its credential in the body'],
    ['{platform: braze, live: main}', 'is either {platform: ID} or names for live and sandbox'],
    ['{plattform: braze}', 'did you mean "platform"?'],
    ['[main]', 'must be'],
  ])('is refused with its line: %s', (written, message) => {
    const [first] = errors(`    connection: ${written}\n`)
    expect(first).toMatch(/^7 apis\.shop\.connection/)
    expect(first).toContain(message)
  })

  it('is not possible beside a credential of the file: a request carries one', () => {
    for (const connection of ['    connection: main\n', '    routes: [{id: a, path: /a, connection: main}]\n'])
      expect(errors(`    upstream_credential: \${KEY}\n${connection}`)).toEqual([
        '7 apis.shop.upstream_credential: is not possible beside "connection": a request carries one of them',
      ])
  })
})

describe('connections.allow_private', () => {
  it('names addresses and ranges, and nothing by default', () => {
    const loaded = load('', 'connections: {allow_private: [10.1.0.0/16, loopback]}\n')
    const allowed = (text: string) => {
      const ip = parseIp(text)
      return loaded.ok && ip !== null && ipInRanges(ip, loaded.value.allowedPrivate)
    }
    expect(['10.1.2.3', '127.0.0.1', '10.2.0.0', '192.168.0.1'].map(allowed)).toEqual([true, true, false, false])
    const none = load('')
    expect(none.ok && none.value.allowedPrivate).toEqual({ v4: [], v6: [] })
    expect(errors('', 'connections: {allow_private: [nowhere.test]}\n')).toEqual([
      '3 connections.allow_private[0]: "nowhere.test" must be an IP address, a CIDR range, loopback or private',
    ])
  })
})
