import { randomBase62 } from './base62.ts'
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

export type IdPrefix = 'acc' | 'prj' | 'sec' | 'req' | 'conn'

/**
 * Ids of rows: type prefix and a UUIDv7 (RFC 9562, section 5.7) as 32 hex digits, so that they sort by time
 * and select with a double click. Ids of one maker within a millisecond ascend.
 */
export interface Ids {
  next(prefix: IdPrefix): string
  /** 12 base62 characters, the public part of a credential. */
  credential(): string
}

export function createIds(clock: Clock, random: Random): Ids {
  let lastMs = 0
  let counter = 0
  let start = ''
  let startOfMs = -1
  let tails = ''
  let used = 0
  return {
    next: (prefix) => {
      const now = Math.max(clock.now(), lastMs)
      counter = now === lastMs ? counter + 1 : 0
      lastMs = counter > 0xfff ? now + 1 : now
      if (counter > 0xfff) counter = 0
      if (startOfMs !== lastMs) {
        startOfMs = lastMs
        start = `${lastMs.toString(16).padStart(12, '0')}7`
      }
      if (used === tails.length) {
        tails = randomTails(random)
        used = 0
      }
      const tail = tails.slice(used, (used += tailLength))
      return `${prefix}_${start}${hexDigits[counter >> 8]}${hexOfByte[counter & 0xff]}${tail}`
    },
    credential: () => randomBase62(12, random),
  }
}

const tailLength = 16
const tailsAtOnce = 256

/** The random ends of many ids as one text, because turning bytes into text costs nearly the same for one as for all. */
function randomTails(random: Random): string {
  const bytes = Buffer.from(random.bytes((tailsAtOnce * tailLength) / 2))
  for (let i = 0; i < bytes.length; i += tailLength / 2) bytes[i] = ((bytes[i] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex')
}

/** The instant inside an id made by `Ids.next`, in epoch milliseconds; NaN where it has none. */
export function idTime(id: string): number {
  const start = id.indexOf('_') + 1
  let time = Number.NaN
  for (let i = start; i < start + 12; i++) {
    const digit = hexValue(id.charCodeAt(i))
    if (digit === -1) break
    time = (i === start ? 0 : time * 16) + digit
  }
  return time
}

function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}

/** The smallest id of that prefix that could have been made at that instant: for ranges over time. */
export function firstIdAt(prefix: IdPrefix, epochMs: number): string {
  return `${prefix}_${Math.max(0, Math.floor(epochMs)).toString(16).padStart(12, '0')}`
}

const hexDigits = '0123456789abcdef'
const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
