import type { Clock } from '../base/clock.ts'

/** The time for a Date line (RFC 9110, section 5.6.7), put into words once a second. */
export function createHttpDate(clock: Clock): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toUTCString()
    }
    return text
  }
}
