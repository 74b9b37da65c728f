import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

import type { RunningServer } from '@postern/server'

import { startStandIn } from '../../../../examples/llm-stand-in/stand-in.ts'
import { startUpstream } from '../../../../examples/upstream/upstream.ts'
import { createClient, type Client } from '../client/client.ts'
import { runServer } from '../local/run-server.ts'
import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { demoConfig } from './config.ts'
import { demoGroups } from './lines.ts'
import { defaultBase, demoFolder, demoPorts, type DemoPorts } from './ports.ts'
import { printDemo } from './print.ts'
import { provision } from './provision.ts'

/** What the operator would have from a provider; here nothing but a word. */
const standInKey = 'the-key-of-the-stand-in'

/** Starts server and example API in this process, sees to accounts and keys, and prints what to paste. */
export async function runDemonstration(tools: Tools, portBase: number): Promise<void> {
  const { io } = tools
  const startedAt = io.now()
  const ports = demoPorts(portBase)
  const upstream = await startUpstream()
  const standIn = await startStandIn(0, standInKey)
  const behind = { upstreamPort: upstream.port, standInPort: standIn.port, standInKey }
  let server: RunningServer | null = null
  try {
    server = await runServer(tools, demoConfig(io, ports, behind), { watch: false, quiet: true })
    const provisioned = await provision(clientOf(server), dirname(server.managementKeyFile))
    const groups = demoGroups(ports, provisioned, commandHere(io.env['POSTERN_URL'], ports))
    printDemo(tools.out, { ports, groups, notes: provisioned.notes, readyMs: io.now() - startedAt })
  } catch (error) {
    await server?.stop(0)
    await upstream.close()
    await standIn.close()
    throw error instanceof Stop && error.code === exit.notAllowed ? keyIsGone(error) : error
  }
}

/** A client like any other, with the first management key. */
function clientOf(server: RunningServer): Client {
  const key = server.config().managementKey?.reveal() ?? readFileSync(server.managementKeyFile, 'utf8').trim()
  return createClient({ url: new URL(server.consoleUrl), key })
}

function keyIsGone(cause: Stop): Stop {
  return new Stop(
    exit.notAllowed,
    {
      what: 'The management key of the demonstration no longer works',
      why: `${cause.explanation.what}. Somebody has rotated, blocked or revoked it.`,
      next: `rm -r ${demoFolder}   then start it again: everything is made anew`,
    },
    { cause },
  )
}

/** Names the console where the command line would look elsewhere. */
function commandHere(url: string | undefined, ports: DemoPorts): string {
  const elsewhere = url !== undefined || ports.console !== demoPorts(defaultBase).console
  return `${elsewhere ? `POSTERN_URL=http://127.0.0.1:${ports.console} ` : ''}npx postern`
}
