import { createPublicKey, verify } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { calculateJwkThumbprint } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { systemRandom } from '../../base/random.ts'
import type { SigningKeys } from '../../core/oauth/signing-keys.ts'
import { openKeyFiles } from './key-files.ts'
import { createSigningKeys } from './signing-keys.ts'

const hour = 3_600_000
const day = 24 * hour
const noon = Date.UTC(2026, 5, 1, 12)

describe('keys that sign access tokens', () => {
  let root: string
  let count = 0
  const aFolder = () => join(root, `keys-${count++}`)
  const open = (folder: string): SigningKeys => createSigningKeys(openKeyFiles(folder, systemRandom))
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-signing-'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  const states = (keys: SigningKeys, at: number) => keys.list(at).map(({ state }) => state)
  const signs = (keys: SigningKeys, at: number) => keys.current(at).kid

  it('are made at the first use, and not before', () => {
    const folder = aFolder()
    const keys = open(folder)
    keys.keep(noon)
    expect(readdirSync(join(folder, 'standing'))).toEqual([])
    expect(states(keys, noon)).toEqual(['current'])
    expect(readdirSync(join(folder, 'standing'))).toEqual(['signing-000001.key'])
    expect(statSync(join(folder, 'standing/signing-000001.key')).mode & 0o777).toBe(0o600)
  })

  it('sign ES256 as RFC 7518 has it: r and s, 32 bytes each', () => {
    const keys = open(aFolder())
    const signer = keys.current(noon)
    const [{ jwk } = { jwk: null }] = keys.list(noon)
    const signature = Buffer.from(signer.sign('header.payload'), 'base64url')
    expect(signature).toHaveLength(64)
    expect(jwk?.kid).toBe(signer.kid)
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    expect(verify('sha256', Buffer.from('header.payload'), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
    expect(verify('sha256', Buffer.from('header.payloae'), { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(false)
  })

  it('are called by their thumbprint (RFC 7638)', async () => {
    const [key] = open(aFolder()).list(noon)
    expect(key?.kid).toBe(await calculateJwkThumbprint({ ...key?.jwk }))
  })

  it('survive a restart', () => {
    const folder = aFolder()
    const kid = signs(open(folder), noon)
    expect(signs(open(folder), noon + 1)).toBe(kid)
  })

  it('are published for a day before they sign: to the millisecond', () => {
    const keys = open(aFolder())
    const first = signs(keys, noon)
    const next = keys.rotate(noon)
    expect(next).toMatchObject({ state: 'next', createdAt: noon, usedFrom: noon + day, usedUntil: null })
    expect(states(keys, noon)).toEqual(['next', 'current'])
    expect(signs(keys, noon + day - 1)).toBe(first)
    expect(signs(keys, noon + day)).toBe(next.kid)
    expect(states(keys, noon + day)).toEqual(['current', 'retired'])
    expect(keys.list(noon + day)[1]).toMatchObject({ kid: first, usedUntil: noon + day })
  })

  it('have one successor at a time', () => {
    const keys = open(aFolder())
    keys.current(noon)
    const next = keys.rotate(noon)
    expect(keys.rotate(noon + hour)).toEqual(next)
    expect(keys.list(noon)).toHaveLength(2)
  })

  it('stay published until the last token that they signed has expired, and five minutes, and are gone then', () => {
    const folder = aFolder()
    const keys = open(folder)
    const first = signs(keys, noon)
    const { usedFrom } = keys.rotate(noon)
    const end = usedFrom + day + 5 * 60_000
    expect(keys.verifier(first, end - 1)).not.toBeNull()
    expect(keys.verifier(first, end)).toBeNull()
    keys.keep(end - 1)
    expect(readdirSync(join(folder, 'standing'))).toContain('signing-000001.key')
    keys.keep(end)
    expect(readdirSync(join(folder, 'standing'))).toEqual(['signing-000001-gone.key', 'signing-000002.key'])
    expect(states(keys, end)).toEqual(['current'])
  })

  it('rotate by age: the next is made a day before ninety are over', () => {
    const keys = open(aFolder())
    const first = signs(keys, noon)
    keys.keep(noon + 89 * day - 1)
    expect(keys.list(noon)).toHaveLength(1)
    keys.keep(noon + 89 * day)
    expect(states(keys, noon + 89 * day)).toEqual(['next', 'current'])
    expect(signs(keys, noon + 90 * day - 1)).toBe(first)
    expect(signs(keys, noon + 90 * day)).not.toBe(first)
  })

  it('are taken away at once where somebody else may have them, and another signs', () => {
    const folder = aFolder()
    const keys = open(folder)
    const first = signs(keys, noon)
    expect(keys.remove(first, noon + hour)).toBe(true)
    expect(keys.verifier(first, noon + hour)).toBeNull()
    expect(signs(keys, noon + hour)).not.toBe(first)
    expect(keys.list(noon + hour)).toHaveLength(1)
    expect(keys.remove(first, noon + hour)).toBe(false)
    expect(keys.remove('nothing', noon + hour)).toBe(false)
  })

  it('do not give way to one that was retired, nor lose the one that is planned', () => {
    const keys = open(aFolder())
    const first = signs(keys, noon)
    const second = keys.rotate(noon)
    const later = second.usedFrom + hour
    const third = keys.rotate(later)
    keys.remove(second.kid, later)
    const now = signs(keys, later)
    expect([first, second.kid, third.kid]).not.toContain(now)
    expect(states(keys, later)).toEqual(['next', 'current', 'retired'])
    expect(signs(keys, third.usedFrom)).toBe(third.kid)
  })

  it('of a folder that two nodes share are the same for both, within a second', () => {
    const folder = aFolder()
    const [one, two] = [open(folder), open(folder)]
    expect(signs(one, noon)).toBe(signs(two, noon))
    const next = one.rotate(noon)
    expect(two.rotate(noon)).toEqual(next)
    expect(two.list(noon + 1000)).toEqual(one.list(noon + 1000))
    one.remove(signs(one, noon + 2000), noon + 2000)
    expect(two.list(noon + 3000)).toEqual(one.list(noon + 3000))
    expect(signs(two, noon + 3000)).toBe(signs(one, noon + 3000))
  })

  it('of two nodes that begin at once are one', () => {
    const folder = aFolder()
    const nodes = Array.from({ length: 5 }, () => open(folder))
    expect(new Set(nodes.map((node) => signs(node, noon))).size).toBe(1)
    expect(readdirSync(join(folder, 'standing'))).toEqual(['signing-000001.key'])
  })
})
