import type { wire } from '@postern/contract'
import { describe, expect, it } from 'vitest'

import { testIo } from '../testing/io.ts'
import { createTools } from '../tools.ts'
import { carry, readCredential } from './credential-in.ts'

const place = (more: Partial<wire.Place> & Pick<wire.Place, 'in'>): wire.Place => ({
  accept: ['key'],
  kinds: null,
  ...more,
})
const server = place({ in: 'pair', id: 'x-app-id', secret: 'x-app-token', kinds: ['secret'] })
const client = place({ in: 'pair', id: 'x-client-id', secret: 'x-client-token', kinds: ['publishable'] })
const key = { secret: 's', publicId: undefined, clientSide: false }

describe('carry', () => {
  it.each([
    [place({ in: 'bearer' }), { path: '/a', headers: { authorization: 'Bearer s' } }],
    [place({ in: 'header', name: 'x-key' }), { path: '/a', headers: { 'x-key': 's' } }],
    [place({ in: 'query', name: 'api_key' }), { path: '/a?api_key=s', headers: {} }],
  ])('puts a key where the API looks: %#', (only, carried) => {
    expect(carry([only], '/a', key)).toEqual(carried)
  })

  it('takes Basic or a pair where the other half is given', () => {
    const places = [place({ in: 'header', name: 'x-key' }), place({ in: 'basic' })]
    expect(carry(places, '/', { ...key, publicId: 'id' }).headers).toEqual({ authorization: `Basic ${btoa('id:s')}` })
    expect(carry([server, client], '/', { ...key, publicId: 'id' }).headers).toEqual({
      'x-app-id': 'id',
      'x-app-token': 's',
    })
    expect(carry([server, client], '/', { ...key, publicId: 'id', clientSide: true }).headers).toEqual({
      'x-client-id': 'id',
      'x-client-token': 's',
    })
  })

  it('puts a token where the API takes tokens, and anything else where it takes keys', () => {
    const tokens = place({ in: 'bearer', accept: ['token', 'jwt'] })
    const places = [server, place({ in: 'header', name: 'x-key' }), tokens]
    for (const secret of [`acme_at_${'t'.repeat(49)}`, 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln']) {
      expect(carry(places, '/', { ...key, secret }).headers).toEqual({ authorization: `Bearer ${secret}` })
    }
    expect(carry(places, '/', key).headers).toEqual({ 'x-key': 's' })
    expect(carry([place({ in: 'bearer' })], '/', { ...key, secret: 'acme_at_x' }).headers).toEqual({
      authorization: 'Bearer acme_at_x',
    })
  })

  it('asks for the other half of a pair', () => {
    expect(() => carry([server], '/', key)).toThrow('This API takes pairs')
  })
})

describe('readCredential', () => {
  const tools = (options: Parameters<typeof testIo>[0]) => createTools(testIo(options), { color: 'never' })

  it('comes from the named variable, or from standard input without its last line break', async () => {
    expect(await readCredential(tools({ env: { KEY: 'from-env' } }), 'KEY')).toBe('from-env')
    expect(await readCredential(tools({ stdin: 'from-stdin\n' }), undefined)).toBe('from-stdin')
  })

  it('is never waited for at a terminal', async () => {
    await expect(readCredential(tools({ tty: true }), undefined)).rejects.toThrow('The credential is missing')
  })

  it('says which variable is not set', async () => {
    await expect(readCredential(tools({}), 'KEY')).rejects.toThrow('The variable KEY is not set')
  })
})
