import type { Random } from '../../base/random.ts'
import { SealBroken, visibleAlways, type Sealing } from '../../core/credentials/sealing.ts'
import { openBytes, sealBytes } from './aes-gcm.ts'
import type { KeyFiles } from './key-files.ts'

/** Width of an expiry bucket: a window's key is gone this long after its end at the latest. */
const bucketMs = 15 * 60_000
const standingKey = 'standing/sealing'

/** AES-256-GCM with the row's id as associated data: a copy opens only in the row that it was sealed for. */
export function createSealing(files: KeyFiles, random: Random): Sealing {
  return {
    seal: (secret, rowId, visibleUntil) => {
      const until = visibleUntil === 'always' ? visibleAlways : visibleUntil
      const name = until >= visibleAlways ? standingKey : windowKey(until)
      const key = files.ensure(name, () => random.bytes(32))
      return { bytes: sealBytes(key, secret, rowId, random), key: name, visibleUntil: until }
    },
    open: ({ bytes, key: name }, rowId) => {
      const key = files.read(name)
      if (key === null) throw new SealBroken('the key of this window is gone')
      return openBytes(key, bytes, rowId)
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
