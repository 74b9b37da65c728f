import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { loadConfigText, type Config } from '@postern/server'

import type { Io } from '../io.ts'
import { demoFolder, type DemoPorts } from './ports.ts'

const template = new URL('../../../../examples/demonstration.yaml', import.meta.url)

/** What stands behind the gateway in the demonstration. */
export interface Behind {
  readonly upstreamPort: number
  readonly standInPort: number
  readonly standInKey: string
}

/** The demonstration's configuration: examples/demonstration.yaml with the ports of this run. */
export function demoConfig(io: Io, ports: DemoPorts, behind: Behind): Config {
  const folder = join(io.cwd, demoFolder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const env = {
    ...io.env,
    WECANTRACK_PORT: String(ports.wecantrack),
    CLICKMETER_PORT: String(ports.clickmeter),
    CARDCONNECT_PORT: String(ports.cardconnect),
    VOUCHERIFY_PORT: String(ports.voucherify),
    CONSOLE_PORT: String(ports.console),
    OPS_PORT: String(ports.ops),
    LLM_PORT: String(ports.llm),
    UPSTREAM_PORT: String(behind.upstreamPort),
    STAND_IN_PORT: String(behind.standInPort),
    STAND_IN_KEY: behind.standInKey,
  }
  const loaded = loadConfigText(readFileSync(template, 'utf8'), { file: join(folder, 'demonstration.yaml'), env })
  if (loaded.ok) return loaded.value
  throw new Error(
    `The configuration of the demonstration is not good: ${loaded.error.map(({ message }) => message).join('; ')}`,
  )
}
