import type { Files } from './files.ts'
import type { Indexes } from './indexes.ts'
import type { Path } from './issue.ts'
import type { Report } from './report.ts'

/** What the builders share during one load. */
export interface Context {
  readonly report: Report
  readonly files: Files
  readonly indexes: Indexes
}

/** A value that may be a secret: `file:./path` stands for the content of that file, without its last line break. */
export function secretValue(text: string, path: Path, { report, files }: Context): string | null {
  if (!text.startsWith('file:')) return text
  const content = files.read(text.slice('file:'.length))
  if (content.ok) return content.value.replace(/\r?\n$/, '')
  report.error(path, content.error)
  return null
}
