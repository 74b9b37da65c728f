import { existsSync } from 'node:fs'
import { cp, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'

import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import { createProgress } from '../output/progress.ts'
import { exit, Stop, wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern backup`: a consistent copy of the databases while the server runs. */
export const backup: AddCommand = (program, run) => {
  program
    .command('backup')
    .description('copy the databases while the server runs; key files are never part of it')
    .option('--to <folder>', 'move the copy there (on the machine of the server)')
    .action(run(make))
}

async function make(tools: Tools, { to }: { to?: string }): Promise<undefined> {
  const { io, out } = tools
  const target = to === undefined ? null : resolve(io.cwd, to)
  if (target !== null && existsSync(target)) {
    throw wrongUsage(`${to ?? ''} exists already`, 'A backup is never written over something.', '--to another-folder')
  }
  const made = await follow(tools)
  if (target !== null) await move(made, target)
  out.record({ folder: target ?? made }, [['folder', target ?? made]])
  out.note('Keep the folder keys/standing with it; keys/windows is never copied.')
}

async function follow(tools: Tools): Promise<string> {
  const progress = createProgress(tools.io, 'backup', tools.out.paintNote)
  try {
    for await (const line of tools.client().lines<wire.BackupLine>('/system/backup', {})) {
      if ('error' in line) throw failed(line.error.detail)
      if ('folder' in line) return line.folder
      progress.update(line.done, line.total)
    }
  } finally {
    progress.end()
  }
  throw failed('The connection ended before the backup did.')
}

async function move(from: string, to: string): Promise<void> {
  if (!existsSync(from)) {
    throw new Stop(exit.failed, {
      what: 'The backup is made but cannot be moved from here',
      why: `It lies on the machine of the server, in ${from}.`,
      next: 'Copy it from there.',
    })
  }
  try {
    await rename(from, to)
  } catch {
    // Another file system: copy, then remove.
    await cp(from, to, { recursive: true, errorOnExist: true, force: false })
    await rm(from, { recursive: true })
  }
}

function failed(why: string): Stop {
  return new Stop(exit.failed, { what: 'The backup was not finished', why, next: 'npx postern doctor' })
}
