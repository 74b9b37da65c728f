import type { Db } from '../schema.ts'

/**
 * Deletes what an old copy of the data would bring back to life: tokens, sessions, links to set a password, and
 * invitations that are open in it. Nobody can tell which of them ended after the copy was made.
 */
export async function dropLent(tx: Db): Promise<void> {
  await tx.deleteFrom('tokens').execute()
  await tx.deleteFrom('sessions').execute()
  await tx.deleteFrom('password_resets').execute()
  await tx.deleteFrom('invitations').where('accepted_at', 'is', null).where('revoked_at', 'is', null).execute()
}
