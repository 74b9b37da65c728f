import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { ConfigFile } from '@postern/contract'
import { Value } from 'typebox/value'

import { type Result, fail, ok } from '../base/result.ts'
import { buildConfig } from './build.ts'
import type { Config } from './config.ts'
import { createFiles, reasonOf } from './files.ts'
import { createIndexes } from './indexes.ts'
import type { ConfigError } from './issue.ts'
import { createReport } from './report.ts'
import { checkShape, shapeOf } from './shape.ts'
import { type Env, parseSource } from './source.ts'

export interface LoadOptions {
  readonly env: Env
  /** The configuration in force: its numbers for APIs and routes are kept. */
  readonly previous?: Config | null
  /** Epoch ms: certificates must be valid then. Without it only their form is judged. */
  readonly now?: number
}

/** Reads postern.yaml. Either all of it is good, or every error is told and nothing of it takes effect. */
export function loadConfig(options: LoadOptions & { readonly path: string }): Result<Config, readonly ConfigError[]> {
  const file = resolve(options.path)
  try {
    return loadConfigText(readFileSync(file, 'utf8'), { ...options, file })
  } catch (cause) {
    return fail([{ file, line: null, column: null, path: '', message: `cannot be read: ${reasonOf(cause)}` }])
  }
}

/** The same for a text; `file` is the name for messages, and its folder the one that relative paths start from. */
export function loadConfigText(
  text: string,
  options: LoadOptions & { readonly file: string },
): Result<Config, readonly ConfigError[]> {
  const source = parseSource(options.file, text, options.env)
  if (!source.ok) return source
  const report = createReport(source.value)
  const written = source.value.value
  checkShape(shapeOf(ConfigFile), written, [], (path, message, part) => report.error(path, message, part))
  if (report.errors.length > 0) return fail(inOrder(report.errors))
  if (!Value.Check(ConfigFile, written)) throw new Error('The schema refuses what the walk over it let pass')
  const file = resolve(options.file)
  const config = buildConfig(written, {
    file,
    env: options.env,
    now: options.now ?? null,
    report,
    files: createFiles(dirname(file), text),
    indexes: createIndexes(options.previous ?? null),
  })
  return config === null || report.errors.length > 0 ? fail(inOrder(report.errors)) : ok(config)
}

function inOrder(errors: readonly ConfigError[]): readonly ConfigError[] {
  return errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0))
}
