import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'

/** Sets variables in a file of `NAME=value` lines: those of the same name are replaced, the others stay as they are. */
export function setInEnvFile(path: string, values: Readonly<Record<string, string>>): void {
  const before = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const mode = existsSync(path) ? statSync(path).mode & 0o700 : 0o600
  const kept = before.split('\n').filter((line) => !Object.hasOwn(values, nameIn(line)))
  while (kept.at(-1) === '') kept.pop()
  const lines = [...kept, ...Object.entries(values).map(([name, value]) => `${name}=${value}`)]
  const temporary = `${path}.${randomUUID()}`
  writeFileSync(temporary, `${lines.join('\n')}\n`, { mode, flag: 'wx' })
  renameSync(temporary, path)
}

function nameIn(line: string): string {
  return /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=/.exec(line)?.[1] ?? ''
}
