import type { Db } from '../schema.ts'

export const tooManyKeys = (maxKeys: number): string =>
  `The account already has as many live credentials as its plan allows (${maxKeys}).`

/** Live credentials of the account: neither final nor expired. Exact while the account is locked. */
export async function countLive(tx: Db, account: string, now: number): Promise<number> {
  const { count } = await tx
    .selectFrom('credentials')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account', '=', account)
    .where('state', 'in', ['active', 'blocked'])
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirstOrThrow()
  return count
}
