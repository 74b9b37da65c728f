import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { systemRandom } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { visibleAlways } from '../../core/credentials/sealing.ts'
import { createKeyFiles } from './index.ts'
import { openKeyFiles } from './key-files.ts'

const quarter = 15 * 60_000

describe('key files', () => {
  let root: string
  let count = 0
  const aFolder = () => join(root, `keys-${count++}`)
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-keys-'))
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  it('open what they sealed, for the same row alone', () => {
    const keys = createKeyFiles(aFolder(), systemRandom)
    const copy = keys.seal(new Secret('acme_sk_live_x'), 'sec_1', 1_000)
    expect(keys.open(copy, 'sec_1').reveal()).toBe('acme_sk_live_x')
    expect(() => keys.open(copy, 'sec_2')).toThrow('does not belong to this row')
  })

  it('refuse a copy of which any byte was altered, and one cut short', () => {
    const keys = createKeyFiles(aFolder(), systemRandom)
    const copy = keys.seal(new Secret('x'), 'sec_1', 1_000)
    for (let at = 0; at < copy.bytes.length; at++) {
      const bytes = copy.bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
      expect(() => keys.open({ ...copy, bytes }, 'sec_1')).toThrow('does not belong')
    }
    expect(() => keys.open({ ...copy, bytes: copy.bytes.subarray(0, 20) }, 'sec_1')).toThrow('cut short')
  })

  it('keep one key for each quarter of an hour in which windows end', () => {
    const folder = aFolder()
    const keys = createKeyFiles(folder, systemRandom)
    for (const until of [1, quarter, quarter + 1]) keys.seal(new Secret('x'), 'sec_1', until)
    expect(readdirSync(join(folder, 'windows'))).toEqual([`${2 * quarter}.key`, `${quarter}.key`])
  })

  it('are swept at the end of their quarter and not before', () => {
    const keys = createKeyFiles(aFolder(), systemRandom)
    const copy = keys.seal(new Secret('x'), 'sec_1', 1_000)
    expect(keys.sweep(quarter - 1)).toBe(0)
    expect(keys.open(copy, 'sec_1').reveal()).toBe('x')
    expect(keys.sweep(quarter)).toBe(1)
    expect(() => keys.open(copy, 'sec_1')).toThrow('the key of this window is gone')
  })

  it('seal what is always visible under the standing key, which no sweep touches', () => {
    const folder = aFolder()
    const keys = createKeyFiles(folder, systemRandom)
    const copy = keys.seal(new Secret('x'), 'sec_1', 'always')
    expect(copy).toMatchObject({ key: 'standing/sealing', visibleUntil: visibleAlways })
    expect(keys.sweep(Number.MAX_SAFE_INTEGER)).toBe(0)
    expect(createKeyFiles(folder, systemRandom).open(copy, 'sec_1').reveal()).toBe('x')
  })

  describe('of connections', () => {
    const place = { connection: 'conn_1', account: 'acc_1', project: null, field: 'api_key', secretVersion: 1 }
    const secret = new Secret('the-api-key-of-a-third-party')

    it('security 4: open a field in its own place alone', () => {
      const folder = aFolder()
      const sealed = createKeyFiles(folder, systemRandom).connections.seal(secret, place)
      const { connections } = createKeyFiles(folder, systemRandom)
      expect(sealed).toMatchObject({ field: 'api_key', hint: 'arty', key: 'standing/connections' })
      expect(connections.open(sealed, place).reveal()).toBe('the-api-key-of-a-third-party')
      for (const other of [
        { connection: 'conn_2' },
        { account: 'acc_2' },
        { project: 'prj_1' },
        { field: 'secret' },
        { secretVersion: 2 },
      ])
        expect(() => connections.open(sealed, { ...place, ...other })).toThrow('does not belong')
    })

    it('do not open under the key of another folder, nor without it', () => {
      const folder = aFolder()
      const sealed = createKeyFiles(folder, systemRandom).connections.seal(secret, place)
      const other = createKeyFiles(aFolder(), systemRandom).connections
      expect(() => other.open(sealed, place)).toThrow('the key file of connections is not here')
      other.seal(secret, place)
      expect(() => other.open(sealed, place)).toThrow('does not belong')
    })

    it('security 12: are for nothing else than what is always visible', () => {
      const folder = aFolder()
      const keys = createKeyFiles(folder, systemRandom)
      keys.seal(secret, 'sec_1', 'always')
      keys.connections.seal(secret, place)
      expect(readdirSync(join(folder, 'standing'))).toEqual(['connections.key', 'sealing.key'])
    })

    it('security 7: tell by a fingerprint whether two secrets of an account are one, and nothing to whoever lacks the key', () => {
      const keys = createKeyFiles(aFolder(), systemRandom).connections
      const one = keys.fingerprint(secret, 'acc_1')
      expect(one).toMatch(/^[0-9a-f]{16}$/)
      expect(keys.seal(secret, { ...place, connection: 'conn_9' }).fingerprint).toBe(one)
      expect(keys.fingerprint(new Secret('another'), 'acc_1')).not.toBe(one)
      expect(keys.fingerprint(secret, 'acc_2')).not.toBe(one)
      expect(createKeyFiles(aFolder(), systemRandom).connections.fingerprint(secret, 'acc_1')).not.toBe(one)
    })

    it('hint at the end of a secret only where enough of it stays unknown', () => {
      const keys = createKeyFiles(aFolder(), systemRandom).connections
      expect(keys.seal(new Secret('123456789012345'), place).hint).toBeNull()
      expect(keys.seal(new Secret('1234567890123456'), place).hint).toBe('3456')
    })
  })

  it('are readable by their owner alone', () => {
    const folder = aFolder()
    createKeyFiles(folder, systemRandom).seal(new Secret('x'), 'sec_1', 'always')
    expect(statSync(join(folder, 'standing')).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, 'standing/sealing.key')).mode & 0o777).toBe(0o600)
  })

  it('stop the start where group or others may read one', () => {
    const folder = aFolder()
    createKeyFiles(folder, systemRandom).seal(new Secret('x'), 'sec_1', 'always')
    chmodSync(join(folder, 'standing/sealing.key'), 0o640)
    expect(() => createKeyFiles(folder, systemRandom)).toThrow('readable by group or others')
  })

  it('let the loser of a race read the winner’s key', () => {
    const folder = aFolder()
    const files = openKeyFiles(folder, systemRandom)
    const winner = new Uint8Array(32).fill(7)
    const key = files.ensure('standing/sealing', () => {
      writeFileSync(join(folder, 'standing/sealing.key'), winner, { mode: 0o600 })
      return new Uint8Array(32).fill(9)
    })
    expect(new Uint8Array(key)).toEqual(winner)
    expect(readdirSync(join(folder, 'standing'))).toEqual(['sealing.key'])
  })

  it('never leave their folder', () => {
    const files = openKeyFiles(aFolder(), systemRandom)
    expect(() => files.read('windows/../../secret')).toThrow('not the name of a key')
    expect(() => files.read('/etc/passwd')).toThrow('not the name of a key')
  })

  it('sign checkpoints with a key that survives a restart', () => {
    const folder = aFolder()
    const first = createKeyFiles(folder, systemRandom).auditSigningKey()
    const signature = first.sign('head 42')
    const second = createKeyFiles(folder, systemRandom).auditSigningKey()
    expect(second.publicKeyPem).toBe(first.publicKeyPem)
    expect(second.verify('head 42', signature)).toBe(true)
    expect(second.verify('head 43', signature)).toBe(false)
    expect(existsSync(join(folder, 'standing/audit.key'))).toBe(true)
  })
})
