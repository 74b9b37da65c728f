import type { AddCommand } from '../command.ts'
import { defaultBase } from '../demo/ports.ts'
import type { Tools } from '../tools.ts'
import { wholeNumber } from './options.ts'

/** `postern dev`: the demonstration; nothing to answer, nothing to install. */
export const dev: AddCommand = (program, run) => {
  program
    .command('dev')
    .description('run the demonstration: a server with an example API, accounts and keys')
    .option('--port-base <number>', 'count the ports of the systems from here', wholeNumber(1_024, 65_000), defaultBase)
    .action(run(demonstrate))
}

async function demonstrate(tools: Tools, { portBase }: { portBase: number }): Promise<undefined> {
  const { runDemonstration } = await import('../demo/run.ts')
  await runDemonstration(tools, portBase)
}
