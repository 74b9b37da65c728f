import { randomBase62 } from './base62.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

export type IdPrefix = 'acc' | 'prj' | 'sec' | 'req' | 'conn' | 'tok' | 'usr' | 'mem' | 'inv' | 'ses' | 'rst'

/**
 * Ids of rows: type prefix and a UUIDv7 (RFC 9562, section 5.7) as 32 hex digits, so that they sort by time
 * and select with a double click. Ids of one maker within a millisecond ascend.
 */
export interface Ids {
  next(prefix: IdPrefix): string
  /** 12 base62 characters, the public part of a credential or grant. */
  credential(): string
}

export function createIds(clock: Clock, random: Random): Ids {
  let lastMs = 0
  let counter = 0
  let pool: Uint8Array = new Uint8Array(0)
  let used = 0
  let lastText = ''
  let textOfMs = -1
  const take = (count: number): Uint8Array => {
    if (used + count > pool.length) {
      pool = random.bytes(count * 256)
      used = 0
    }
    used += count
    return pool.subarray(used - count, used)
  }
  return {
    next: (prefix) => {
      const now = Math.max(clock.now(), lastMs)
      counter = now === lastMs ? counter + 1 : 0
      lastMs = counter > 0xfff ? now + 1 : now
      if (counter > 0xfff) counter = 0
      const tail = take(8)
      tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80
      if (textOfMs !== lastMs) {
        textOfMs = lastMs
        lastText = `${lastMs.toString(16).padStart(12, '0')}7`
      }
      return `${prefix}_${lastText}${hexOfByte[counter >> 8]?.slice(1)}${hexOfByte[counter & 0xff]}${hex(tail)}`
    },
    credential: () => randomBase62(12, random),
  }
}

/** The instant inside an id made by `Ids.next`, in epoch milliseconds. */
export function idTime(id: string): number {
  const start = id.indexOf('_') + 1
  return Number.parseInt(id.slice(start, start + 12), 16)
}

/** The smallest id of that prefix that could have been made at that instant: for ranges over time. */
export function firstIdAt(prefix: IdPrefix, epochMs: number): string {
  return `${prefix}_${Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, '0')}`
}

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexOfByte[byte] ?? ''
  return text
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
