import type { Store } from '../core/store.ts'
import type { NewToken } from '../core/tokens/token.ts'
import { by, must, nextHex, someBytes, type Home, type Person } from './conformance-data.ts'
import { anOpen, aSession } from './conformance-people-data.ts'

/** One of each that an old copy of the data would bring back to life; answers what names those that a store has. */
export async function aLent(
  store: Store,
  family: { readonly home: Home; readonly person: Person; readonly access: NewToken; readonly refresh: NewToken },
): Promise<(store: Store) => Promise<readonly string[]>> {
  const { person, home, access, refresh } = family
  const [session, reset] = [someBytes(), someBytes()]
  await store.people.startSession({ session: aSession(person.user), digest: session, userVersion: 1 })
  const { digest: invitation } = await anOpen(store, home.account)
  const id = `rst_${nextHex()}`
  must(await store.people.offerReset({ user: person.user, id, digest: reset, expiresAt: 9_000, by }))
  const now = 2_000
  return async ({ tokens, people }) => {
    const found = {
      token: await tokens.byDigest(access),
      refresh: await tokens.findRefresh(refresh),
      session: await people.findSession({ digest: session, now, idleMs: 50_000 }),
      invitation: await people.findInvitation({ digest: invitation, now }),
      reset: await people.findReset({ digest: reset, now }),
    }
    return Object.entries(found).flatMap(([name, each]) => (each === null ? [] : [name]))
  }
}
