import type { AddCommand } from '../command.ts'
import { addKeyCreate } from './key-create.ts'
import { addKeyImport } from './key-import.ts'
import { addKeyList } from './key-list.ts'
import { addKeyRotate } from './key-rotate.ts'
import { addKeyShow } from './key-show.ts'
import { addKeyStates } from './key-states.ts'
import { addKeyUpdate } from './key-update.ts'

/** `postern key`: credentials of every kind. */
export const key: AddCommand = (program, run) => {
  const command = program.command('key').description('credentials: keys, pairs, integrations, management keys')
  for (const add of [addKeyList, addKeyShow, addKeyCreate, addKeyUpdate, addKeyRotate, addKeyStates, addKeyImport])
    add(command, run)
}
