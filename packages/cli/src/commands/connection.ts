import type { AddCommand } from '../command.ts'
import { addConnectionPlatforms } from './connection-platforms.ts'
import { addConnectionShow } from './connection-show.ts'
import { addConnectionStates } from './connection-states.ts'
import { addConnectionWrite } from './connection-write.ts'

/** `postern connection`: credentials of third parties. */
export const connection: AddCommand = (program, run) => {
  const command = program
    .command('connection')
    .description('credentials of third parties: Braze, Twilio, OpenAI and others')
  for (const add of [addConnectionPlatforms, addConnectionShow, addConnectionWrite, addConnectionStates])
    add(command, run)
}
