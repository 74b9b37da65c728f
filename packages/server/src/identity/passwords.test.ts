import { describe, expect, it } from 'vitest'

import { seededRandom, systemRandom } from '../base/random.ts'
import { fail, ok } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { createPasswords } from './passwords.ts'

describe('passwords', () => {
  const passwords = createPasswords(systemRandom)
  const password = new Secret('correct horse battery staple')

  it('are kept as Argon2id with 19 MiB and two passes (3)', async () => {
    const kept = await passwords.hash(password)
    expect(kept).toMatchObject({ ok: true, value: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/) })
    const again = await passwords.hash(password)
    expect(again).not.toEqual(kept)
  })

  it('take their salt from the random source', async () => {
    const [one, other] = [createPasswords(seededRandom(3)), createPasswords(seededRandom(3))]
    expect(await one.hash(password)).toEqual(await other.hash(password))
  })

  it('are right where they are the same, and only there', async () => {
    const kept = await passwords.hash(password)
    if (!kept.ok) throw new Error(kept.error)
    expect(await passwords.verify(password, kept.value, false)).toEqual(ok(true))
    expect(await passwords.verify(new Secret('correct horse battery stapl'), kept.value, false)).toEqual(ok(false))
    expect(await passwords.verify(new Secret('Correct horse battery staple'), kept.value, false)).toEqual(ok(false))
  })

  it('are the same from a keyboard that decomposes letters or has another space', async () => {
    const kept = await passwords.hash(new Secret('Zo\u00eb has \u00e9clairs for tea'))
    if (!kept.ok) throw new Error(kept.error)
    const other = new Secret('Zoe\u0308\u00a0has e\u0301clairs\u2003for tea')
    expect(await passwords.verify(other, kept.value, false)).toEqual(ok(true))
  })

  it('take 128 characters whole', async () => {
    const long = 'x'.repeat(127)
    const kept = await passwords.hash(new Secret(`${long}a`))
    if (!kept.ok) throw new Error(kept.error)
    expect(await passwords.verify(new Secret(`${long}b`), kept.value, false)).toEqual(ok(false))
  })

  it('are wrong for an address that nobody has, after the same work (79)', async () => {
    const fresh = createPasswords(systemRandom)
    expect(await fresh.verify(password, null, false)).toEqual(ok(false))
    const kept = await fresh.hash(password)
    if (!kept.ok) throw new Error(kept.error)
    const [known, unknown] = [await cpuOf(fresh, kept.value), await cpuOf(fresh, null)]
    expect(unknown / known).toBeGreaterThan(0.5)
    expect(unknown / known).toBeLessThan(2)
  })

  it('are refused at once where too many wait', async () => {
    const crowd = Array.from({ length: 50 }, () => passwords.verify(password, null, false))
    const outcomes = await Promise.all(crowd)
    expect(outcomes.filter(({ ok: done }) => done)).toHaveLength(42)
    expect(outcomes.filter(({ ok: done }) => !done)).toEqual(Array.from({ length: 8 }, () => fail('busy')))
  })
})

/** Microseconds of all threads for twelve wrong passwords. */
async function cpuOf(passwords: ReturnType<typeof createPasswords>, stored: string | null): Promise<number> {
  const before = process.cpuUsage()
  for (let round = 0; round < 12; round++) await passwords.verify(new Secret('a wrong password'), stored, false)
  const { user, system } = process.cpuUsage(before)
  return user + system
}
