import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { configErrorLine } from '../local/config-errors.ts'
import { finding, type Check } from './finding.ts'

/** postern.yaml, where there is one: a server that runs keeps the last good one, and does not start again with this. */
export const checkConfiguration: Check = async ({ io }) => {
  const path = resolve(io.cwd, 'postern.yaml')
  if (!existsSync(path)) return []
  const { loadConfig } = await import('@postern/server')
  const loaded = loadConfig({ path, env: io.env })
  if (loaded.ok)
    return [
      finding(true, 'configuration', `postern.yaml is good; the issuer is ${loaded.value.declaration.publicUrl}`, ''),
    ]
  const [first, ...more] = loaded.error
  const others = more.length === 0 ? '' : `, and ${more.length} more`
  const found = first === undefined ? 'postern.yaml is not good' : `${configErrorLine(first)}${others}`
  return [finding(false, 'configuration', found, 'npx postern config check')]
}
