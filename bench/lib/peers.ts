import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '../peers')

/**
 * What Postern is compared with lives in a folder of its own with its own lock file, and is installed when a bench
 * first needs it. Throws where that cannot be done, with what to do about it.
 */
export function installPeers(progress: (text: string) => void): void {
  if (isCurrent()) return
  progress('installing the peers into bench/peers/node_modules')
  try {
    execFileSync('npm', ['ci', '--ignore-scripts'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: ownEnv() })
  } catch (error) {
    throw new Error(
      'The peers of this bench could not be installed. Is there a network, and can npm reach its registry? ' +
        'Run `npm ci` in bench/peers to see what npm says, then run the bench again.',
      { cause: error },
    )
  }
}

/** npm leaves what it has installed in a lock file of its own beside it. */
function isCurrent(): boolean {
  const installed = join(folder, 'node_modules/.package-lock.json')
  return existsSync(installed) && versions(installed) === versions(join(folder, 'package-lock.json'))
}

function versions(file: string): string {
  const { packages } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>
  }
  const required = Object.entries(packages).filter(([name, { optional }]) => name !== '' && optional !== true)
  return required
    .map(([name, { version }]) => `${name} ${version ?? ''}`)
    .toSorted((a, b) => a.localeCompare(b))
    .join('\n')
}

/** Without what the npm that runs this bench has set for its own folder. */
function ownEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_config_local_prefix') && name !== 'INIT_CWD'),
  )
}
