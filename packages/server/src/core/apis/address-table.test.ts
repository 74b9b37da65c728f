import { describe, expect, it } from 'vitest'

import { createAddressTable, normalHost, parseAddress } from './address-table.ts'
import type { Address, AddressTable, Api } from './api.ts'

function anAddress(api: string, text: string): Address {
  const parts = parseAddress(text)
  if (!parts.ok) throw new Error(parts.error)
  return { api: { id: api } as Api, environment: null, region: null, ...parts.value }
}

function aTable(...addresses: Address[]): AddressTable {
  const table = createAddressTable(addresses, 8080)
  if (!table.ok) throw new Error('conflict')
  return table.value
}

function clash(...texts: string[]): boolean {
  return !createAddressTable(
    texts.map((text) => anAddress(text, text)),
    8080,
  ).ok
}

describe('an address table', () => {
  const table = aTable(
    anAddress('shop', 'shop.example.com'),
    anAddress('v2', 'shop.example.com/v2'),
    anAddress('beta', 'shop.example.com/v2/beta'),
    anAddress('own', ':9001'),
    anAddress('ownV2', ':9001/v2'),
    anAddress('rest', ':8080/rest'),
    anAddress('six', '[2001:DB8:0::1]'),
  )
  const found = (host: string, path: string, port = 8080) => table.find(host, port, path)?.api.id ?? null

  it.each([
    ['shop.example.com', '/', 'shop'],
    ['SHOP.Example.com', '/', 'shop'],
    ['shop.example.com:443', '/', 'shop'],
    ['shop.example.com:8080', '/v2', 'v2'],
    ['shop.example.com.', '/', 'shop'],
    ['shop.example.com.:80', '/', 'shop'],
    ['[2001:db8::1]', '/', 'six'],
    ['[2001:db8:0:0::1]:8080', '/', 'six'],
  ])('reads host %s at %s as %s', (host, path, api) => {
    expect(found(host, path)).toBe(api)
  })

  it('prefers the longest prefix, of whole segments only', () => {
    expect(found('shop.example.com', '/v2')).toBe('v2')
    expect(found('shop.example.com', '/v2/')).toBe('v2')
    expect(found('shop.example.com', '/v2/x')).toBe('v2')
    expect(found('shop.example.com', '/v2/beta/x')).toBe('beta')
    expect(found('shop.example.com', '/v2/betaX')).toBe('v2')
    expect(found('shop.example.com', '/v2x')).toBe('shop')
    expect(found('shop.example.com', '/V2')).toBe('shop')
  })

  it('serves a listener of its own whatever the host says, and nothing else there', () => {
    expect(found('anything', '/x', 9001)).toBe('own')
    expect(found('shop.example.com', '/v2/x', 9001)).toBe('ownV2')
  })

  it("serves any host on the gateway's port only where no host is declared", () => {
    expect(found('127.0.0.1:8080', '/rest/x')).toBe('rest')
    expect(found('shop.example.com', '/rest/x')).toBe('shop')
    expect(found('127.0.0.1:8080', '/x')).toBeNull()
  })

  it.each([
    '',
    'other.example',
    'shop.example.com.evil.test',
    'evilshop.example.com',
    'shop.example.com..',
    'shop.example.com:x',
    'a@shop.example.com',
    '[zz]',
    '[',
  ])('knows no host %j', (host) => {
    expect(found(host, '/')).toBeNull()
  })

  it('refuses two addresses that are one', () => {
    expect(clash('a.example', 'A.Example.')).toBe(true)
    expect(clash('a.example/x', 'a.example/x/')).toBe(true)
    expect(clash('a.example/%78', 'a.example/x')).toBe(true)
    expect(clash(':9001', ':9001')).toBe(true)
    expect(clash('[::1]', '[0:0::1]')).toBe(true)
    expect(clash('a.example', 'a.example/x')).toBe(false)
    expect(clash(':9001', ':9002')).toBe(false)
    expect(clash(':9001', ':9001/x')).toBe(false)
  })
})

describe('parseAddress', () => {
  it.each([
    ['https://shop.example', 'no scheme'],
    ['shop.example:8080', 'no port'],
    ['[::1]:8080', 'no port'],
    [':0', 'port'],
    [':65536', 'port'],
    [':x', 'port'],
    ['', 'host name'],
    ['shop example', 'host name'],
    ['*.shop.example', 'host name'],
    ['a..b', 'host name'],
    ['-a.example', 'host name'],
    ['[zz]', 'host name'],
    ['a.example//x', 'prefix'],
    ['a.example/../x', 'prefix'],
    ['a.example/x?y', 'prefix'],
  ])('refuses %j: %s', (text, reason) => {
    expect(parseAddress(text)).toEqual({ ok: false, error: expect.stringContaining(reason) })
  })

  it('reads host, prefix and port', () => {
    expect(parseAddress('Shop.Example./v2/')).toEqual({
      ok: true,
      value: { host: 'shop.example', port: null, prefix: '/v2' },
    })
    expect(parseAddress(':65535')).toEqual({ ok: true, value: { host: null, port: 65_535, prefix: '' } })
    expect(parseAddress('127.0.0.1')).toEqual({ ok: true, value: { host: '127.0.0.1', port: null, prefix: '' } })
  })
})

describe('normalHost', () => {
  it('takes one final dot, not two', () => {
    expect(normalHost('a.example.')).toBe('a.example')
    expect(normalHost('a.example..')).toBe('a.example.')
    expect(normalHost('.')).toBeNull()
  })
})
