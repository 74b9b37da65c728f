import { comparedOrigin, compileOrigins, type OriginMatcher, validOriginEntry } from '../apis/origin.ts'

/**
 * The union that preflights are answered from: which rows list which origins, by API. Plain origins are found by
 * one look-up, so that a preflight, which anybody may send, costs the same however many customers list theirs.
 */
export class ListedOrigins {
  readonly #byApi = new Map<string, Listed>()

  add(api: string, entries: readonly string[], row: number): void {
    const listed = this.#byApi.get(api) ?? { plain: new Map<string, Set<number>>(), wild: new Map<string, Wild>() }
    this.#byApi.set(api, listed)
    for (const entry of entries) {
      const form = formOf(entry)
      if (form.includes('*')) {
        const wild = listed.wild.get(form) ?? { matcher: compileOrigins([form], true), rows: new Set<number>() }
        listed.wild.set(form, wild)
        wild.rows.add(row)
      } else {
        const rows = listed.plain.get(form) ?? new Set<number>()
        listed.plain.set(form, rows)
        rows.add(row)
      }
    }
  }

  remove(api: string, entries: readonly string[], row: number): void {
    const listed = this.#byApi.get(api)
    if (listed === undefined) return
    for (const entry of entries) {
      const form = formOf(entry)
      const rows = listed.plain.get(form) ?? listed.wild.get(form)?.rows
      rows?.delete(row)
      if (rows?.size !== 0) continue
      listed.plain.delete(form)
      listed.wild.delete(form)
    }
    if (listed.plain.size === 0 && listed.wild.size === 0) this.#byApi.delete(api)
  }

  /** Whether a row that lists the origin, as it was received, passes the test. */
  some(api: string, origin: string, test: (row: number) => boolean): boolean {
    const listed = this.#byApi.get(api)
    if (listed === undefined || origin === 'null' || origin === '') return false
    if (someRow(listed.plain.get(comparedOrigin(origin)), test)) return true
    for (const { matcher, rows } of listed.wild.values()) {
      if (matcher.matches(origin) && someRow(rows, test)) return true
    }
    return false
  }
}

interface Listed {
  readonly plain: Map<string, Set<number>>
  readonly wild: Map<string, Wild>
}

/** `*` or `*.shop.example`. */
interface Wild {
  readonly matcher: OriginMatcher
  readonly rows: Set<number>
}

function formOf(entry: string): string {
  const valid = validOriginEntry(entry, true)
  if (!valid.ok) throw new RangeError(`"${entry}": ${valid.error}`)
  return valid.value
}

function someRow(rows: ReadonlySet<number> | undefined, test: (row: number) => boolean): boolean {
  for (const row of rows ?? []) if (test(row)) return true
  return false
}
