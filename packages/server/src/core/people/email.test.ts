import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { emailOf } from './email.ts'

describe('emailOf', () => {
  it.each([
    ['as it is', 'ada@example.com', 'ada@example.com'],
    ['in capitals', 'Ada.Lovelace@EXAMPLE.Com', 'ada.lovelace@example.com'],
    ['with white space around it', ' \tada@example.com\n', 'ada@example.com'],
    ['with signs of atoms', "o'hara+news/{x}=1@example.co.uk", "o'hara+news/{x}=1@example.co.uk"],
    ['within a network', 'ada@intranet', 'ada@intranet'],
    ['decomposed', 'jose\u0301@example.com', 'jos\u00e9@example.com'],
    ['of another script', '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a', '\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a'],
    ['of the greatest length', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`, undefined],
  ])('takes an address %s', (_, text, form) => {
    expect(emailOf(text)).toBe(form ?? text)
  })

  it.each([
    ['nothing', ''],
    ['no @', 'ada.example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ada@'],
    ['two @', 'ada@home@example.com'],
    ['a space', 'a da@example.com'],
    ['a line break', 'ada@example.com\nBcc: eve@example.com'],
    ['a name', 'Ada <ada@example.com>'],
    ['two addresses', 'ada@example.com,eve@example.com'],
    ['a dot at the end', 'ada.@example.com'],
    ['two dots', 'a..da@example.com'],
    ['an empty label', 'ada@example..com'],
    ['a label that begins with a hyphen', 'ada@-example.com'],
    ['a label of 64 characters', `ada@${'b'.repeat(64)}.com`],
    ['a quoted local part', '"a da"@example.com'],
    ['an address literal', 'ada@[127.0.0.1]'],
    ['a zero-width space', 'ada\u200b@example.com'],
    ['an override of the direction', 'ada\u202e@example.com'],
    ['a null character', 'ada\u0000@example.com'],
    ['a local part of 65 characters', `${'a'.repeat(65)}@example.com`],
    ['255 characters', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`],
    ['a megabyte', `${'a'.repeat(1024 * 1024)}@example.com`],
  ])('refuses %s', (_, text) => {
    expect(emailOf(text)).toBeNull()
  })

  it('answers a form that is its own, whatever it is given', () => {
    const texts = fc.oneof(fc.emailAddress(), fc.string({ unit: 'grapheme' }))
    const isItsOwn = fc.property(texts, (text) => emailOf(emailOf(text) ?? '') === emailOf(text))
    expect(fc.check(isItsOwn).failed).toBe(false)
  })
})
