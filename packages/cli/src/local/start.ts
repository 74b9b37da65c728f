import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import type { RunningServer } from '@postern/server'

import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { loadOrStop } from './load.ts'
import { runServer } from './run-server.ts'

export interface StartOptions {
  readonly config: string
  readonly quiet?: boolean
}

/** Runs the server by a configuration file, until it is asked to stop. */
export async function startHere(tools: Tools, { config: file, quiet }: StartOptions): Promise<void> {
  if (!existsSync(resolve(tools.io.cwd, file))) {
    throw new Stop(exit.failed, {
      what: `There is no ${file} here`,
      why: 'The server does what that file says.',
      next: 'npx postern init   (writes one), or: npx postern dev   (a demonstration that needs none)',
    })
  }
  const config = loadOrStop(tools, file, 'serve')
  for (const { message } of config.notes) tools.out.note(`note  ${message}`)
  const server = await runServer(tools, config, { watch: true, quiet: quiet === true })
  tell(tools, server)
}

function tell({ io, out }: Tools, server: RunningServer): void {
  const { listen } = server.config()
  const gateway = [listen.gateway, ...listen.own].map(({ host, port }) => `${host}:${port}`)
  out.note(`gateway  ${gateway.join(', ')}`)
  out.note(`console  ${server.consoleUrl}`)
  out.note(`ops      ${listen.ops.host}:${listen.ops.port}`)
  if (listen.forwardAuth !== null)
    out.note(`auth     ${listen.forwardAuth.host}:${listen.forwardAuth.port}/forward-auth`)
  const made = server.madeManagementKey
  if (made === null) return
  out.note(`The first management key is in ${server.managementKeyFile} (mode 0600).`)
  if (io.stderr.isTty) out.note(`It is shown here once:  ${made.reveal()}`)
}
