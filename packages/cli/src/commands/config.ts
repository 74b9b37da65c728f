import { resolve } from 'node:path'

import type { Config } from '@postern/server'

import type { AddCommand } from '../command.ts'
import { configErrorLine } from '../local/config-errors.ts'
import { exit, Stop, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'

interface CheckOptions {
  readonly strict?: boolean
}

/** `postern config check`: is the file good, and what does it say? */
export const config: AddCommand = (program, run) => {
  program
    .command('config')
    .description('postern.yaml')
    .command('check [file]')
    .description('tell every error with its line and what is allowed instead')
    .option('--strict', 'fail on notes too: drift from the OpenAPI document, and what is allowed but rarely meant')
    .action(run(check))
}

async function check({ io, out }: Tools, file = 'postern.yaml', options: CheckOptions = {}): Promise<ExitCode> {
  const { loadConfig } = await import('@postern/server')
  const loaded = loadConfig({ path: resolve(io.cwd, file), env: io.env, now: io.now() })
  if (loaded.ok) {
    const { notes } = loaded.value
    for (const note of notes) out.note(`note  ${configErrorLine(note)}`)
    if (loaded.value.store.kind === 'postgres') {
      out.note('note  rate limits are counted per node; quotas are summed over all nodes')
    }
    // Of what is data, a file can say nothing: `doctor` asks the server.
    for (const { id, credential } of loaded.value.declaration.issuers)
      out.note(
        `note  issuers.${id}: whether there is a credential ${credential} is not looked at here; postern doctor does`,
      )
    if (out.json) out.data({ ok: true, errors: [], notes })
    else out.line(`${file} is good: ${summary(loaded.value)}`)
    return options.strict === true && notes.length > 0 ? exit.failed : exit.done
  }
  if (out.json) out.data({ ok: false, errors: loaded.error, notes: [] })
  else for (const error of loaded.error) out.line(configErrorLine(error))
  const count = loaded.error.length
  throw new Stop(exit.failed, {
    what: `${file} has ${count === 1 ? 'an error' : `${count} errors`}`,
    why: 'A server does not start with it, and a running one keeps what it has.',
    next: `Correct ${count === 1 ? 'it' : 'them'} and run the check again.`,
  })
}

function summary({ declaration }: Config): string {
  const routes = [...declaration.apis.values()].reduce((sum, api) => sum + api.routes.routes.length, 0)
  return [
    counted(declaration.apis.size, 'API'),
    counted(routes, 'route'),
    counted(declaration.plans.size, 'plan'),
    ...(declaration.issuers.length === 0 ? [] : [counted(declaration.issuers.length, 'issuer')]),
  ].join(', ')
}

function counted(size: number, what: string): string {
  return `${size} ${what}${size === 1 ? '' : 's'}`
}
