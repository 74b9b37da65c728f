import type { AddCommand } from '../command.ts'
import type { StartOptions } from '../local/start.ts'
import type { Tools } from '../tools.ts'

/** `postern start`: the server, by postern.yaml. */
export const start: AddCommand = (program, run) => {
  program
    .command('start')
    .description('run the server by postern.yaml')
    .option('--config <file>', 'another file', 'postern.yaml')
    .option('--quiet', 'log only faults')
    .action(run(serveHere))
}

/** The server is loaded only by commands that need it: the others start in a fraction of its time. */
async function serveHere(tools: Tools, options: StartOptions): Promise<undefined> {
  const { startHere } = await import('../local/start.ts')
  await startHere(tools, options)
}
