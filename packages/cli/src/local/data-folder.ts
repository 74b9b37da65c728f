import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { demoFolder } from '../demo/ports.ts'
import type { Tools } from '../tools.ts'
import { loadOrStop } from './load.ts'

/** Data and key folder for commands that open files themselves: as named, else of postern.yaml, else of the demonstration. */
export function foldersFor(
  tools: Tools,
  named: { readonly data?: string | undefined; readonly keys?: string | undefined },
): {
  readonly data: string
  readonly keys: string
} {
  const { cwd } = tools.io
  const found = foldersHere(tools)
  return {
    data: named.data === undefined ? found.data : resolve(cwd, named.data),
    keys:
      named.keys !== undefined
        ? resolve(cwd, named.keys)
        : named.data === undefined
          ? found.keys
          : keysBeside(cwd, named.data),
  }
}

function foldersHere(tools: Tools): { readonly data: string; readonly keys: string } {
  const { cwd } = tools.io
  if (existsSync(join(cwd, 'postern.yaml'))) return loadOrStop(tools, 'postern.yaml')
  const root = existsSync(join(cwd, demoFolder)) ? join(cwd, demoFolder) : cwd
  return { data: join(root, 'data'), keys: join(root, 'keys') }
}

function keysBeside(cwd: string, data: string): string {
  return join(resolve(cwd, data), '..', 'keys')
}
