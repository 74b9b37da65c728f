import type { AddCommand } from '../command.ts'
import { addClientList } from './client-list.ts'
import { addClientWrite } from './client-write.ts'
import { addKeyRotate } from './key-rotate.ts'
import { addKeyShow } from './key-show.ts'
import { addKeyStates } from './key-states.ts'

/** `postern client`: OAuth clients. They are credentials, so that most of it is what keys have as well. */
export const client: AddCommand = (program, run) => {
  const command = program
    .command('client')
    .description('OAuth clients: programs that get tokens, for themselves or people')
  for (const add of [addClientList, addKeyShow, addClientWrite, addKeyRotate, addKeyStates]) add(command, run)
}
