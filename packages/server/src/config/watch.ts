import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'

import type { Clock, Timer } from '../base/clock.ts'
import type { Config } from './config.ts'
import type { ConfigError } from './issue.ts'
import { loadConfig } from './load.ts'
import type { Env } from './source.ts'

export interface WatchOptions {
  readonly path: string
  readonly env: Env
  readonly clock: Clock
  /** The configuration in force: numbers are kept from it, and its own text is no news. */
  readonly current: () => Config
  readonly onConfig: (next: Config) => void
  /** The file is not good; what is in force stays in force. */
  readonly onErrors: (errors: readonly ConfigError[]) => void
}

/** Editors write a file in several steps; this long after the last one it is read. */
const quietMs = 200

/**
 * Reads the file again when something changes in its folder, or in that of a file that it names (so that a file that
 * is replaced, or a mounted one whose link is switched, is seen too), and on SIGHUP. The same text is told once, after
 * SIGHUP again.
 */
export function watchConfig(options: WatchOptions): { stop(): void } {
  const { path, env, clock, current } = options
  let seen = current().fingerprint
  let waiting: Timer | null = null

  const read = (evenIfSeen: boolean): void => {
    const result = loadConfig({ path, env, previous: current(), now: clock.now() })
    const text = result.ok ? result.value.fingerprint : JSON.stringify(result.error)
    if (text === seen && !evenIfSeen) return
    seen = text
    if (result.ok) {
      watchFolders(result.value.filesRead)
      options.onConfig(result.value)
    } else options.onErrors(result.error)
  }
  const onChange = (): void => {
    waiting?.stop()
    waiting = clock.after(quietMs, () => read(false))
  }
  const onSignal = (): void => read(true)

  const watchers = new Map<string, FSWatcher>()
  const unwatched = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
    const message = `the folder ${folder} can no longer be watched; send SIGHUP after a change`
    options.onErrors([{ file: path, line: null, column: null, path: '', message }])
  }
  const watchFolders = (files: readonly string[]): void => {
    const wanted = new Set(files.map((file) => dirname(file)))
    for (const [folder, watcher] of watchers) {
      if (wanted.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    for (const folder of wanted) {
      if (watchers.has(folder)) continue
      try {
        watchers.set(
          folder,
          watch(folder, { persistent: false }, onChange).on('error', () => unwatched(folder)),
        )
      } catch {
        unwatched(folder)
      }
    }
  }

  watchFolders(current().filesRead)
  process.on('SIGHUP', onSignal)
  return {
    stop: () => {
      waiting?.stop()
      for (const watcher of watchers.values()) watcher.close()
      process.off('SIGHUP', onSignal)
    },
  }
}
