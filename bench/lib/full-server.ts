import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startServerProcess, type ServerProcess } from '../../tests/support/process.ts'
import { seedCredentials } from './seed-credentials.ts'
import { shopYaml } from './shop.ts'

export const heldCredentials = 100_000

/** The server as an operator starts it, with the API `shop` and as many credentials as a middle-sized provider has. */
export async function startFullServer(upstream: string): Promise<ServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  await seedCredentials(join(folder, 'data'), heldCredentials, 1_000)
  return await startServerProcess({ folder, yaml: shopYaml(upstream) })
}
