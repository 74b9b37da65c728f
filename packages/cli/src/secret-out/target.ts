import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'

export interface SecretOptions {
  readonly showSecret?: boolean
  readonly to?: string
  readonly envName?: string
}

/** Where a secret goes. */
export type SecretTarget =
  | { readonly kind: 'print' }
  | { readonly kind: 'env-file'; readonly path: string; readonly name: string }

/** Decided before anything is changed: a secret that nobody can see must not be made. */
export function secretTarget({ io }: Tools, options: SecretOptions): SecretTarget {
  const name = options.envName ?? 'API_KEY'
  if (options.to !== undefined) {
    const path = /^env-file:(.+)$/.exec(options.to)?.[1]
    if (path === undefined) {
      throw wrongUsage(
        '--to takes env-file:PATH',
        'A secret can be written to a file of variables.',
        '--to env-file:.env',
      )
    }
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw wrongUsage(
        '--env-name is not the name of a variable',
        'It takes letters, digits and "_".',
        '--env-name API_KEY',
      )
    }
    const file = resolve(io.cwd, path)
    refuseUnwritable(file)
    return { kind: 'env-file', path: file, name }
  }
  if (io.stdout.isTty || options.showSecret === true) return { kind: 'print' }
  throw wrongUsage(
    'The secret would go into a pipe or a file',
    'Standard output is no terminal, and a secret is shown only once.',
    'Add --show-secret, or --to env-file:.env',
  )
}

/** The file is replaced by a new one beside it, so it is the folder that has to be writable. */
function refuseUnwritable(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK)
    if (statSync(dirname(file)).isDirectory() && statSync(file, { throwIfNoEntry: false })?.isDirectory() !== true)
      return
  } catch {
    // Told below, like a file in the place of the folder.
  }
  throw wrongUsage(
    `${file} cannot be written`,
    'Its folder is absent or not writable, or it is a folder itself. Nothing was changed.',
    '--to env-file:.env',
  )
}
