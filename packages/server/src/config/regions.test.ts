import { describe, expect, it } from 'vitest'

import { upstreamOf } from '../core/apis/regions.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const read = (text: string) =>
  loadConfigText(`version: 1\nbrand: acme\n${text}\n`, { file: '/etc/postern.yaml', env: {} })

const errors = (text: string): readonly string[] => {
  const result = read(text)
  return result.ok ? [] : result.error.map((error) => formatConfigError(error).replace('/etc/postern.yaml', ''))
}

function declared(shop: string, regions = '') {
  const result = read(`${regions}\napis: {shop: ${shop}}`)
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  const { declaration } = result.value
  const api = declaration.apis.get('shop')
  if (api === undefined) throw new Error('no such API')
  return {
    regions: [...declaration.regions],
    addresses: declaration.addresses.all.map(({ host, environment, region }) => [host, environment, region]),
    to: (environment: 'live' | 'sandbox', region: string | null) =>
      upstreamOf(api, environment, region)?.targets[0]?.url ?? null,
  }
}

describe('VCH-12: address and upstream by environment and region', () => {
  it('may differ in both', () => {
    const { regions, addresses, to } = declared(
      `{address: {live: {eu: eu.shop, us: us.shop}, sandbox: sandbox.shop},
        upstream: {live: {eu: "http://eu", us: "http://us"}, sandbox: "http://sandbox"}}`,
    )
    expect(regions).toEqual(['eu', 'us'])
    expect(addresses).toEqual([
      ['eu.shop', 'live', 'eu'],
      ['us.shop', 'live', 'us'],
      ['sandbox.shop', 'sandbox', null],
    ])
    expect([to('live', 'eu'), to('live', 'us'), to('live', 'ap'), to('live', null)]).toEqual([
      'http://eu',
      'http://us',
      null,
      null,
    ])
    expect([to('sandbox', 'eu'), to('sandbox', null)]).toEqual(['http://sandbox', 'http://sandbox'])
  })

  it('may differ by region alone, for both environments', () => {
    const { addresses, to } = declared('{address: shop.example, upstream: {eu: "http://eu", us: "http://us"}}')
    expect(addresses).toEqual([['shop.example', null, null]])
    expect([to('live', 'eu'), to('sandbox', 'us'), to('sandbox', null)]).toEqual(['http://eu', 'http://us', null])
    expect(declared('{address: {eu: a, us: b}, upstream: "http://x"}').addresses).toEqual([
      ['a', null, 'eu'],
      ['b', null, 'us'],
    ])
  })

  it('names the regions that projects may be in; a list may come before any API is divided', () => {
    expect(declared('{address: a, upstream: "http://x"}').regions).toEqual([])
    expect(declared('{address: a, upstream: "http://x"}', 'regions: [eu, us]').regions).toEqual(['eu', 'us'])
  })

  it.each([
    [
      'apis: {shop: {address: [a], upstream: "http://x"}}',
      [
        ':3:24 apis.shop.address: must be a host such as shop.example.com, a host with a prefix such as example.com/shop, or a port such as ":9001", or a map with live, sandbox, or regions such as {eu: …, us: …}',
      ],
    ],
    [
      'apis: {shop: {address: {live: a, sandbx: b}, upstream: "http://x"}}',
      [':3:34 apis.shop.address.sandbx: unknown key; did you mean "sandbox"?'],
    ],
    ['apis: {shop: {address: {live: {}}, upstream: "http://x"}}', [':3:31 apis.shop.address.live: must not be empty']],
    [
      'apis: {shop: {address: {EU: a.example}, upstream: "http://x"}}',
      [':3:25 apis.shop.address.EU: "EU" must be lower-case letters, digits and "-", a letter first, 32 at most'],
    ],
    [
      'regions: [eu, us]\napis: {shop: {address: {live: {eu: a, usa: b}}, upstream: "http://x"}}',
      [':4:39 apis.shop.address.live.usa: "usa" is not one of "regions"; did you mean "us"?'],
    ],
    [
      'regions: [eu, Us]',
      [
        ':3:15 regions[1]: must be the name of a region: lower-case letters, digits and "-", a letter first, 32 at most',
      ],
    ],
    ['regions: [eu, eu]', [':3:15 regions[1]: a region named "eu" stands here already']],
    [
      'apis: {shop: {address: {eu: a, us: b}, upstream: {eu: "http://x"}}}',
      [':3:50 apis.shop.upstream: "us" is missing: it has an address'],
    ],
    [
      'apis: {shop: {address: {live: {eu: a}, sandbox: b}, upstream: {live: {us: "http://x"}}}}',
      [
        ':3:63 apis.shop.upstream: "sandbox" is missing: it has an address',
        ':3:70 apis.shop.upstream.live: "eu" is missing: it has an address',
        ':3:71 apis.shop.upstream.live.us: is the upstream of a region that has no address',
      ],
    ],
    [
      'apis: {shop: {address: {eu: a, us: a}, upstream: "http://x"}}',
      [':3:36 apis.shop.address.us: is the same address as apis.shop.address.eu'],
    ],
    [
      'apis: {shop: {address: a, upstream: {eu: "ftp://x"}}}',
      [':3:42 apis.shop.upstream.eu: must be a URL that begins with http:// or https://'],
    ],
  ])('%s', (text, expected) => {
    expect(errors(text)).toEqual(expected)
  })
})
