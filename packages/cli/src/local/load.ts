import { resolve } from 'node:path'

import { loadConfig, type Config } from '@postern/server'

import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { configErrorLine } from './config-errors.ts'

/** Reads a configuration file; every error of it is told before it stops. To `serve`, its certificates must be valid. */
export function loadOrStop({ io, out }: Tools, file: string, use: 'serve' | 'look' = 'look'): Config {
  const path = resolve(io.cwd, file)
  const loaded = loadConfig({ path, env: io.env, ...(use === 'serve' && { now: io.now() }) })
  if (loaded.ok) return loaded.value
  for (const error of loaded.error) out.note(configErrorLine(error))
  const count = loaded.error.length
  throw new Stop(exit.failed, {
    what: `${file} has ${count === 1 ? 'an error' : `${count} errors`}`,
    why: 'Nothing of it takes effect before all of it is good.',
    next: `Correct ${count === 1 ? 'it' : 'them'}, then: npx postern config check ${file}`,
  })
}
