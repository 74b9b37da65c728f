/**
 * Picks one member out of a JSON answer as it passes by, without holding the rest: an answer may be of any size. Of
 * an array of objects it picks the member of each. It reads what a provider wrote for our client, so it checks no
 * grammar; where there is none, nothing is found.
 */
export interface MemberReader {
  push(chunk: Buffer): void
  /** The last value found, as text; null where there was none, or it was larger than the bound. */
  found(): string | null
}

export function createMemberReader(member: string, valueBytesMax: number): MemberReader {
  const name = Buffer.from(`"${member}"`)
  let depth = 0
  /** Depth of the members that are asked for: 1, or 2 within an array. 0: nothing has begun. */
  let level = 0
  let inString = false
  let escaped = false
  /** Bytes of `name` that the string at hand has matched; -1: it is another one. */
  let matched = -1
  /** A string is a name until its colon has come. */
  let inName = false
  let named = false
  let value: number[] | null = null
  let last: string | null = null

  const end = (): void => {
    if (value !== null) last = Buffer.from(value).toString('utf8')
    value = null
    named = false
  }

  const step = (c: number): void => {
    if (inString) {
      if (matched !== -1) matched = name[matched] === c ? matched + 1 : -1
      if (escaped) escaped = false
      else if (c === 0x5c) escaped = true
      else if (c === 0x22) {
        inString = false
        named = inName && matched === name.length
      }
      return
    }
    switch (c) {
      case 0x22:
        inString = true
        matched = depth === level && inName ? 1 : -1
        return
      case 0x7b:
      case 0x5b:
        depth++
        if (level === 0 && c === 0x7b) level = depth
        if (depth === level) inName = c === 0x7b
        return
      case 0x7d:
      case 0x5d:
        if (depth === level) end()
        depth--
        return
      case 0x3a:
        if (depth !== level || !inName) return
        inName = false
        if (named) value = []
        return
      case 0x2c:
        if (depth !== level) return
        end()
        inName = true
        return
      default:
    }
  }

  return {
    push: (chunk) => {
      for (let at = 0; at < chunk.length; at++) {
        const c = chunk[at] ?? 0
        const collecting = value !== null
        step(c)
        if (!collecting || value === null) continue
        if (value.length < valueBytesMax) value.push(c)
        else {
          value = null
          named = false
        }
      }
    },
    found: () => last,
  }
}
