/** What a proxy asks for in the URL of its question. */
export interface Question {
  /**
   * The original target where it follows in the path, as Envoy asks; null where the headers `X-Forwarded-Method`,
   * `-Host` and `-Uri` say what the original request was.
   */
  readonly target: string | null
  /** The API where the path names it, `/forward-auth:ID`; null: it is found by its address. */
  readonly api: string | null
  /** `?statuses=401,403`: the only ones of 4xx that the proxy understands; null: all. */
  readonly statuses: ReadonlySet<number> | null
}

const mount = '/forward-auth'

/** Whether the URL is a question at all. */
export function isQuestion(url: string): boolean {
  if (!url.startsWith(mount)) return false
  const next = url.charCodeAt(mount.length)
  return Number.isNaN(next) || next === slash || next === questionMark || next === colon
}

/**
 * Reads the URL of a question: `/forward-auth`, `/forward-auth:API`, and either with the original target behind it.
 * What decides stands in the path, which the proxy's configuration sets. Some proxies pass on the query of the
 * original request with it, so nothing in there may be of more use to a client than another status of a refusal.
 */
export function readQuestion(url: string): Question {
  if (url === mount) return plain
  const parts = /^(?::([^/?]*))?(\/.*)?(?:\?(.*))?$/s.exec(url.slice(mount.length))
  const [, api = null, target = null, query = ''] = parts ?? []
  return { api, target, statuses: target === null ? readStatuses(query) : null }
}

const slash = 0x2f
const questionMark = 0x3f
const colon = 0x3a
const plain: Question = { target: null, api: null, statuses: null }

/** A proxy asks with the same query each time. */
const remembered = new Map<string, ReadonlySet<number> | null>()
const rememberedMax = 64

function readStatuses(query: string): ReadonlySet<number> | null {
  const known = remembered.get(query)
  if (known !== undefined) return known
  const listed = /(?:^|&)statuses=([0-9]{3}(?:(?:,|%2[Cc])[0-9]{3})*)(?:&|$)/.exec(query)?.[1]
  const statuses = listed === undefined ? null : new Set(listed.split(/,|%2[Cc]/).map(Number))
  if (remembered.size < rememberedMax) remembered.set(query, statuses)
  return statuses
}
