import { wire } from '@postern/contract'

import { type Session, sessionIdleMs } from '../core/people/user.ts'
import { provenance } from './caller.ts'
import { committed, effectOf, found } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { sessionView } from './people-views.ts'

const tag = 'People'
const Id = idParameters('id')

/** Where people are signed in. The secret of a session is in the cookie of its browser alone. */
export const sessions: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/users/:id/sessions',
    operation('listSessions', {
      tag,
      summary: 'List where a person is signed in, newest first',
      params: Id,
      response: { 200: wire.ref(wire.SessionList) },
    }),
    async (request) => {
      const { id } = found(await store.people.findUser({ id: request.params.id }))
      return { data: (await sessionsOf(parts, id)).map(sessionView), next_cursor: null }
    },
  )

  app.post(
    '/users/:id/sessions/end',
    operation('endSessions', {
      tag,
      summary: 'Sign a person out everywhere',
      params: Id,
      response: { 200: wire.ref(wire.EndedSessions) },
    }),
    async (request) => {
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.people.endSessions({ user: request.params.id, by }))
      return { ended: commit.value, ...effectOf(parts, commit) }
    },
  )

  app.post(
    '/users/:id/sessions/:sid/end',
    operation('endSession', {
      tag,
      summary: 'Sign a person out of one browser',
      params: idParameters('id', 'sid'),
      response: { 200: wire.ref(wire.EndedSession) },
      problems: [409],
    }),
    async (request) => {
      const { id: user, sid: id } = request.params
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.people.endSession({ id, user, by }))
      return { session: sessionView(commit.value), ...effectOf(parts, commit) }
    },
  )
}

export async function sessionsOf(parts: ManagementParts, user: string): Promise<readonly Session[]> {
  return await parts.store.people.listSessions({ user, now: parts.clock.now(), idleMs: sessionIdleMs })
}
