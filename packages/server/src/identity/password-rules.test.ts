import { describe, expect, it } from 'vitest'

import { Secret } from '../base/secret.ts'
import { flawOf } from './password-rules.ts'

const about = ['ada.lovelace@engines.example', 'Ada Lovelace', 'acme']
const flaw = (text: string) => flawOf(new Secret(text), about)

describe('a new password (77)', () => {
  it('has 15 characters at least, whatever they are', () => {
    expect(flaw('vexed wombat 7')).toBe('short')
    expect(flaw('vexed wombat 71')).toBeNull()
    expect(flaw('\u{1f600}'.repeat(14))).toBe('short')
    expect(flaw('øéß 你好世界 Ωμέγα ñ')).toBeNull()
    expect(flaw('vqzjkwxhvbtnmrg')).toBeNull()
    expect(flaw('   vexed wombat   ')).toBeNull()
  })

  it('has 128 characters at most, and is not cut', () => {
    const words = 'vexed wombat sings of teapots '.repeat(5)
    expect(flaw(words.slice(0, 128))).toBeNull()
    expect(flaw(words.slice(0, 129))).toBe('long')
    expect(flaw('x'.repeat(1024 * 1024))).toBe('long')
  })

  it.each([
    'passwordpassword',
    'Password Password!',
    'P4$$w0rd-P4$$w0rd1',
    'letmeinletmein2024',
    '123456789012345',
    '098765432109876',
    'qwertyuiopasdfghjkl',
    'qwertzuiop12345678',
    'aaaaaaaaaaaaaaa',
    'abcabcabcabcabcabc',
    'xyzzy1xyzzy1xyzzy1',
    'welcometosummer2026',
    'adminadminadmin',
    'iloveyou iloveyou 4',
    'Ada Lovelace 2026',
    'adalovelaceacme1',
    'engines.example.ada',
  ])('is not %s, which is guessed first', (text) => {
    expect(flaw(text)).toBe('guessable')
  })

  it.each([
    'correct horse battery staple',
    'my password is a wombat in velvet',
    'Tr0ub4dor&3Tr0ub4dor&3',
    '83749 20184 67205',
    'lovelace wrote the first program',
  ])('may be %s', (text) => {
    expect(flaw(text)).toBeNull()
  })

  it('is judged within a bounded time, whatever it is', () => {
    const before = process.cpuUsage().user
    for (const text of ['a'.repeat(128), 'ab'.repeat(64), 'passwor'.repeat(18), `${'abcdefg'.repeat(18)}!!`]) flaw(text)
    expect(process.cpuUsage().user - before).toBeLessThan(200_000)
  })
})
