import type { AddCommand } from '../command.ts'
import { account } from './account.ts'
import { api } from './api.ts'
import { audit } from './audit.ts'
import { backup } from './backup.ts'
import { client } from './client.ts'
import { completion } from './completion.ts'
import { config } from './config.ts'
import { connection } from './connection.ts'
import { dev } from './dev.ts'
import { doctor } from './doctor.ts'
import { events } from './events.ts'
import { explain } from './explain.ts'
import { grant } from './grant.ts'
import { init } from './init.ts'
import { invitation } from './invitation.ts'
import { key } from './key.ts'
import { member } from './member.ts'
import { plan } from './plan.ts'
import { project } from './project.ts'
import { requests } from './requests.ts'
import { restore } from './restore.ts'
import { signingKeys } from './signing-keys.ts'
import { start } from './start.ts'
import { token } from './token.ts'
import { usage } from './usage.ts'
import { user } from './user.ts'
import { verify } from './verify.ts'
import { whoami } from './whoami.ts'

/** Every command, in the order in which help shows them. A new one is a new file and one line here. */
export const commands: readonly AddCommand[] = [
  init,
  start,
  dev,
  config,
  api,
  plan,
  account,
  project,
  key,
  client,
  token,
  grant,
  member,
  invitation,
  user,
  signingKeys,
  connection,
  verify,
  explain,
  requests,
  usage,
  events,
  audit,
  backup,
  restore,
  doctor,
  whoami,
  completion,
]
