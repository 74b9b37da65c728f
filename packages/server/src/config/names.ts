import type { Context } from './context.ts'
import type { Path } from './issue.ts'

/** Names of APIs and plans stand in URLs, tokens and metrics. */
export function checkId(path: Path, id: string, { report }: Context): void {
  if (/^[a-z][a-z0-9_-]{0,62}$/.test(id)) return
  report.error(path, `"${id}" must be lower-case letters, digits, "-" and "_", a letter first, 63 at most`, 'key')
}

/** A scope stands in space-separated lists (RFC 6749, section 3.3); "*" means all, and is nobody's name. */
export function isScopeName(text: string): boolean {
  return /^[!#-)+-[\]-~][!#-)+-[\]-~]*$/.test(text)
}

export function checkUnique(
  names: readonly string[],
  at: (index: number) => Path,
  what: string,
  { report }: Context,
): void {
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) < index) report.error(at(index), `${what} named "${name}" stands here already`)
  }
}
