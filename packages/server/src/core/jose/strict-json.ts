import { isUtf8 } from 'node:buffer'

/** The members of a JSON object. Read with `memberOf`: a sender chooses the names. */
export type JsonObject = Readonly<Record<string, unknown>>

/** Deeper than the claims of any issuer. */
const depthMax = 32

/**
 * An object that everybody reads in the same way (RFC 7515, section 4; RFC 8725, section 2.4): UTF-8 without a mark
 * before it, and no name twice in any object of it, however it is escaped. Null: it is something else.
 */
export function readStrictObject(bytes: Uint8Array): JsonObject | null {
  if (!isUtf8(bytes)) return null
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  try {
    if (!readsOneWay(text)) return null
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** Own members only: `constructor` is nobody's claim. */
export function memberOf(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Looks at names and depth alone; whether it is JSON at all, the parser says. Throws where a name is not JSON. */
function readsOneWay(text: string): boolean {
  /** For each open object the names that it has, for each open array null. */
  const open: (Set<unknown> | null)[] = []
  let named: Set<unknown> | null = null
  for (let at = 0; at < text.length; at++) {
    switch (text.charAt(at)) {
      case '{':
      case '[':
        if (open.length === depthMax) return false
        named = text.charAt(at) === '{' ? new Set() : null
        open.push(named)
        break
      case '}':
      case ']':
        open.pop()
        named = null
        break
      case ',':
        named = open.at(-1) ?? null
        break
      case '"': {
        const end = endOfString(text, at)
        if (named !== null) {
          const name: unknown = JSON.parse(text.slice(at, end + 1))
          if (named.has(name)) return false
          named.add(name)
          named = null
        }
        at = end
        break
      }
      default:
    }
  }
  return true
}

/** Place of the closing quote; the end of the text where there is none. */
function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return text.length
}
