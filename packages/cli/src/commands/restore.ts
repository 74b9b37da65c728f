import type { AddCommand } from '../command.ts'
import type { Tools } from '../tools.ts'

/** `postern restore`: puts a backup in place of the data, while no server runs. */
export const restore: AddCommand = (program, run) => {
  program
    .command('restore <folder>')
    .description('put a backup in place of the data; the server has to be stopped')
    .option('--data <folder>', 'the data folder (default: that of postern.yaml)')
    .action(run(putBack))
}

async function putBack(tools: Tools, folder: string, { data }: { readonly data?: string }): Promise<undefined> {
  const { restoreHere } = await import('../local/restore.ts')
  await restoreHere(tools, folder, data)
}
