import { createCipheriv, createDecipheriv } from 'node:crypto'

import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { SealBroken, visibleAlways, type Sealing } from '../../core/credentials/sealing.ts'
import type { KeyFiles } from './key-files.ts'

/** Width of an expiry bucket: a window's key is gone this long after its end at the latest. */
const bucketMs = 15 * 60_000
const nonceBytes = 12
const tagBytes = 16
const standingKey = 'standing/sealing'

/** AES-256-GCM with the row's id as associated data: a copy opens only in the row that it was sealed for. */
export function createSealing(files: KeyFiles, random: Random): Sealing {
  return {
    seal: (secret, rowId, visibleUntil) => {
      const until = visibleUntil === 'always' ? visibleAlways : visibleUntil
      const name = until >= visibleAlways ? standingKey : windowKey(until)
      const key = files.ensure(name, () => random.bytes(32))
      const nonce = random.bytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(rowId))
      const sealed = Buffer.concat([nonce, cipher.update(secret.reveal(), 'utf8'), cipher.final(), cipher.getAuthTag()])
      return { bytes: new Uint8Array(sealed), key: name, visibleUntil: until }
    },
    open: ({ bytes, key: name }, rowId) => {
      const key = files.read(name)
      if (key === null) throw new SealBroken('the key of this window is gone')
      if (bytes.length < nonceBytes + tagBytes) throw new SealBroken('the sealed copy is cut short')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
      decipher.setAAD(Buffer.from(rowId)).setAuthTag(bytes.subarray(-tagBytes))
      try {
        const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
        return new Secret(text.toString('utf8'))
      } catch (cause) {
        throw new SealBroken('the sealed copy does not belong to this row, or was altered', { cause })
      }
    },
  }
}

/** Named by the end of the bucket that the window ends in. */
function windowKey(visibleUntil: number): string {
  return `windows/${Math.ceil(visibleUntil / bucketMs) * bucketMs}`
}

/** Deletes the keys of buckets that have ended; answers how many. */
export function sweepWindowKeys(files: KeyFiles, now: number): number {
  const ended = files.list('windows').filter((name) => Number(name.slice('windows/'.length)) <= now)
  for (const name of ended) files.remove(name)
  return ended.length
}
