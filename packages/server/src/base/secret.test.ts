import { format, inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { Secret } from './secret.ts'

const text = 'acme_sk_live_KEEPTHISTOYOURSELF'

describe('a secret', () => {
  const secret = new Secret(text)
  // As code does that forgot what it holds.
  const forgotten = secret as unknown as string
  const holder = { name: 'shop', secret, list: [secret], map: new Map([['key', secret]]) }
  const failure = new Error(`cannot use ${String(secret)}`, { cause: { secret } })

  it.each([
    ['a template', `key ${forgotten}`],
    ['String', String(secret)],
    ['addition', 'key ' + forgotten],
    ['a property key', Object.keys({ [forgotten]: 1 }).join('')],
    ['JSON', JSON.stringify(holder)],
    ['inspect', inspect(holder, { depth: 9, showHidden: true })],
    ['inspect that ignores custom functions', inspect(holder, { depth: 9, customInspect: false, showHidden: true })],
    ['format', format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error', `${failure.stack ?? ''} ${inspect(failure)}`],
    ['its own enumerable properties', Object.entries(secret).join(' ')],
    ['a structured clone', inspect(structuredClone(secret), { showHidden: true })],
  ])('does not print in %s', (_, printed) => {
    expect(printed).not.toContain('KEEPTHIS')
    expect(printed).not.toContain('YOURSELF')
  })

  it('prints as [secret]', () => {
    expect(String(secret)).toBe('[secret]')
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}')
    expect(inspect({ secret })).toBe('{ secret: [secret] }')
  })

  it('gives its text and its last four characters when asked', () => {
    expect(secret.reveal()).toBe(text)
    expect(secret.hint()).toBe('SELF')
  })
})
