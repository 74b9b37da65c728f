import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A credential of the demonstration with its secret, as its holder would keep it. */
export interface HeldCredential {
  readonly id: string
  readonly public_id: string
  readonly secret_id: string
  readonly secret: string
  readonly scopes: readonly string[]
}

/** What the demonstration remembers between starts; kept in the data folder, mode 0600. */
export interface DemoState {
  readonly account: string
  readonly project: string
  readonly credentials: Readonly<Record<string, HeldCredential>>
}

export const stateFile = 'demonstration.json'

export function readState(dataFolder: string): DemoState | null {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `writeState` alone
    return JSON.parse(readFileSync(join(dataFolder, stateFile), 'utf8')) as DemoState
  } catch {
    return null
  }
}

export function writeState(dataFolder: string, state: DemoState): void {
  const path = join(dataFolder, stateFile)
  writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
