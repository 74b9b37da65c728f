import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

import { startUpstream } from '../../../../examples/upstream/upstream.ts'
import { createClient } from '../client/client.ts'
import { runServer } from '../local/run-server.ts'
import type { Tools } from '../tools.ts'
import { demoConfig } from './config.ts'
import { demoGroups } from './lines.ts'
import { defaultBase, demoPorts, type DemoPorts } from './ports.ts'
import { printDemo } from './print.ts'
import { provision } from './provision.ts'

/** Starts server and example API in this process, sees to accounts and keys, and prints what to paste. */
export async function runDemonstration(tools: Tools, portBase: number): Promise<void> {
  const { io, out } = tools
  const startedAt = io.now()
  const ports = demoPorts(portBase)
  const upstream = await startUpstream()
  try {
    const config = demoConfig(io, ports, upstream.port)
    const server = await runServer(tools, config, { watch: false, quiet: true })
    const key = config.managementKey?.reveal() ?? readFileSync(server.managementKeyFile, 'utf8').trim()
    const client = createClient({ url: new URL(server.consoleUrl), key })
    const provisioned = await provision(client, dirname(server.managementKeyFile))
    const groups = demoGroups(ports, provisioned, commandHere(io.env['POSTERN_URL'], ports))
    printDemo(out, { ports, groups, notes: provisioned.notes, readyMs: io.now() - startedAt })
  } catch (error) {
    await upstream.close()
    throw error
  }
}

/** Names the console where the command line would look elsewhere. */
function commandHere(url: string | undefined, ports: DemoPorts): string {
  const elsewhere = url !== undefined || ports.console !== demoPorts(defaultBase).console
  return `${elsewhere ? `POSTERN_URL=http://127.0.0.1:${ports.console} ` : ''}npx postern`
}
