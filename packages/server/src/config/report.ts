import type { ConfigError, ConfigNote, Path } from './issue.ts'
import type { Source } from './source.ts'

/** Collects everything that is wrong, so that one run tells all of it. */
export interface Report {
  error(path: Path, message: string, part?: 'key' | 'value'): void
  note(path: Path, message: string): void
  /** For errors of another file. */
  add(errors: readonly ConfigError[]): void
  readonly errors: readonly ConfigError[]
  readonly notes: readonly ConfigNote[]
}

export function createReport(source: Source): Report {
  const errors: ConfigError[] = []
  const notes: ConfigNote[] = []
  return {
    error: (path, message, part) => void errors.push(source.error(path, message, part)),
    note: (path, message) => void notes.push(source.error(path, message)),
    add: (more) => void errors.push(...more),
    errors,
    notes,
  }
}
