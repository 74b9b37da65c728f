import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { systemRandom } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { createKeyFiles } from './index.ts'

const noon = Date.UTC(2026, 10, 23, 12)
const dayMs = 86_400_000

describe('sealing of people', () => {
  let root: string
  let count = 0
  const aFolder = () => join(root, `keys-${count++}`)
  const aSealing = (folder = aFolder()) => createKeyFiles(folder, systemRandom).people
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-people-'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('opens a second factor for the same person alone, on every node with the key file', () => {
    const folder = aFolder()
    const sealed = aSealing(folder).sealTotp(new Secret('JBSWY3DP'), 'usr_1')
    const elsewhere = aSealing(folder)
    expect(elsewhere.openTotp(sealed, 'usr_1').reveal()).toBe('JBSWY3DP')
    expect(() => elsewhere.openTotp(sealed, 'usr_2')).toThrow('does not belong')
    expect(Buffer.from(sealed.bytes).toString('latin1')).not.toContain('JBSWY3DP')
    expect(readdirSync(join(folder, 'standing'))).toEqual(['people.key'])
  })

  it('does not open a second factor without its key file', () => {
    const sealed = aSealing().sealTotp(new Secret('JBSWY3DP'), 'usr_1')
    expect(() => aSealing().openTotp(sealed, 'usr_1')).toThrow('is not here')
  })

  it('opens a text for the same purpose alone', () => {
    const people = aSealing()
    const sealed = people.sealText(new Secret('way back'), 'sign-in', noon)
    expect(sealed).toMatch(/^[0-9a-z]+\.[A-Za-z0-9_-]+$/)
    expect(people.openText(sealed, 'sign-in')?.reveal()).toBe('way back')
    expect(people.openText(sealed, 'consent')).toBeNull()
    expect(aSealing().openText(sealed, 'sign-in')).toBeNull()
  })

  it('opens no text of which anything was altered', () => {
    const people = aSealing()
    const sealed = people.sealText(new Secret('x'), 'sign-in', noon)
    for (let at = 0; at < sealed.length; at++) {
      const other = sealed[at] === 'A' ? 'B' : 'A'
      expect(people.openText(sealed.slice(0, at) + other + sealed.slice(at + 1), 'sign-in')).toBeNull()
      expect(people.openText(sealed.slice(0, at), 'sign-in')).toBeNull()
    }
    for (const more of ['A', 'AA', 'AAAA', '=', '.']) expect(people.openText(sealed + more, 'sign-in')).toBeNull()
  })

  it.each(['', '.', 'a.', '.AAAA', 'zzzzzzzzz.AAAA', 'a.AAAA', 'a.AA AA', `a.${'A'.repeat(20_000)}`])(
    'opens nothing from "%s"',
    (text) => {
      expect(aSealing().openText(text, 'sign-in')).toBeNull()
    },
  )

  it('goes on opening the texts of other days', () => {
    const people = aSealing()
    const days = Array.from({ length: 30 }, (_, day) => people.sealText(new Secret(`${day}`), 'device', day * dayMs))
    expect(days.map((sealed) => people.openText(sealed, 'device')?.reveal())).toEqual(days.map((_, day) => `${day}`))
  })
})
