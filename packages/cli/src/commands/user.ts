import type { AddCommand } from '../command.ts'
import { addUserPrivacy } from './user-privacy.ts'
import { addUserSessions } from './user-sessions.ts'
import { addUserShow } from './user-show.ts'
import { addUserStates } from './user-states.ts'

/** `postern user`: people who can sign in, for the operator. */
export const user: AddCommand = (program, run) => {
  const command = program.command('user').description('people who can sign in, their sessions and what proves them')
  for (const add of [addUserShow, addUserStates, addUserSessions, addUserPrivacy]) add(command, run)
}
