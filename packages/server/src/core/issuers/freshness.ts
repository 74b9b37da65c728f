const minuteMs = 60_000

/** Of a set whose answer says nothing. */
const defaultMs = 10 * minuteMs
const bounds = { min: minuteMs, max: 24 * 60 * minuteMs } as const

/**
 * How long a key set may be used without asking again, by the answer's Cache-Control and Age (RFC 9111, section
 * 4.2), within a minute and a day: an issuer can neither have us ask all the time nor keep a withdrawn key for good.
 */
export function lifetimeMs(cacheControl: string | null, age: string | null): number {
  const directives = (cacheControl ?? '')
    .toLowerCase()
    .split(',')
    .map((each) => each.trim())
  if (directives.includes('no-store') || directives.includes('no-cache')) return bounds.min
  const seconds = directives
    .map((each) => /^max-age="?([0-9]{1,10})"?$/.exec(each)?.[1])
    .find((each) => each !== undefined)
  const said = seconds === undefined ? defaultMs : (Number(seconds) - agedSeconds(age)) * 1_000
  return Math.min(Math.max(said, bounds.min), bounds.max)
}

function agedSeconds(age: string | null): number {
  return age !== null && /^[0-9]{1,10}$/.test(age) ? Number(age) : 0
}
