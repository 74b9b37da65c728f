import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { RestoreRefused, restoreBackup, type Restored } from '@postern/server'

import { confirm } from '../confirm.ts'
import { createProgress } from '../output/progress.ts'
import { exit, Stop, wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { foldersFor } from './data-folder.ts'

/** Puts a backup in place of the data folder's files. */
export async function restoreHere(tools: Tools, folder: string, named: string | undefined): Promise<void> {
  const { io, out } = tools
  const from = resolve(io.cwd, folder)
  if (!existsSync(join(from, 'manifest.json'))) {
    throw wrongUsage(
      `${folder} is no backup`,
      'It has no manifest.json.',
      'npx postern restore <folder that "postern backup" wrote>',
    )
  }
  const { data } = foldersFor(tools, { data: named })
  if (existsSync(join(data, 'checkpoints')))
    await confirm(tools, `What is in ${data} is replaced by the backup.`, 'restore')
  const { sequence, applied } = await put(tools, from, data)
  out.record({ data, sequence, applied }, [
    ['data', data],
    ['restored up to event', String(sequence)],
    ['revoked since, applied again', String(applied)],
  ])
  out.note('Next: npx postern start')
}

const steps = ['verify', 'copy', 'revocations'] as const

async function put(tools: Tools, folder: string, dataFolder: string): Promise<Restored> {
  const progress = createProgress(tools.io, 'restore', tools.out.paintNote)
  try {
    const restored = await restoreBackup({
      folder,
      dataFolder,
      onProgress: (step) =>
        progress.update(
          Math.max(
            0,
            steps.findIndex((each) => each === step),
          ),
          steps.length,
        ),
    })
    progress.update(steps.length, steps.length)
    return restored
  } catch (error) {
    if (!(error instanceof RestoreRefused)) throw error
    throw new Stop(
      exit.failed,
      {
        what: 'The backup was not restored, and nothing was changed',
        why: error.message,
        next: 'Stop the server, or take another backup, then run it again.',
      },
      { cause: error },
    )
  } finally {
    progress.end()
  }
}
