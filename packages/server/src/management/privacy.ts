import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'

import type { Page, PageRequest } from '../core/store.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, found } from './commits.ts'
import { eventViews } from './events.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { invitationView, memberView, sessionView, userView } from './people-views.ts'
import { sessionsOf } from './sessions.ts'
import { timestamp } from './times.ts'
import { grantView } from './token-views.ts'
import { refuseOperatorsPeople } from './users.ts'

const tag = 'People'
const Id = idParameters('id')

/** What is stored about a person, told and erased (CRC-7). */
export const privacy: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/users/:id/export',
    operation('exportUser', {
      tag,
      summary: 'Export all that is stored about a person',
      description:
        'What only proves who they are (password, second factor, sessions’ secrets) is not in it. The request log holds addresses and programs of callers, by grant, until its retention is over: GET /requests.',
      params: Id,
      response: { 200: wire.ref(wire.UserExport) },
    }),
    async (request) => await exported(parts, request, request.params.id),
  )

  app.post(
    '/users/:id/erase',
    operation('eraseUser', {
      tag,
      summary: 'Erase a person',
      description:
        'Name, address, password, second factor, sessions and links are deleted, and of events where the person came from; memberships and grants end. The id stays, and the audit log stays whole. Backups that were made before hold what they held: a restore erases again.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedUser) },
      problems: [409, 507],
    }),
    async (request) => {
      const user = request.params.id
      await refuseOperatorsPeople(parts, request, user)
      const by = provenance(request, clock.now())
      const commit = await committed(parts, store.people.erase({ user, by }))
      return { user: userView(commit.value), ...effectOf(parts, commit) }
    },
  )
}

/** Entries of each list in one answer. */
const entriesMax = 1_000

async function exported(parts: ManagementParts, request: FastifyRequest, id: string): Promise<wire.UserExport> {
  const { people, grants, events } = parts.store
  const { scope } = callerOf(request)
  const now = parts.clock.now()
  const user = found(await people.findUser({ id }))
  const truncated: string[] = []
  const all = async <Item>(
    name: string,
    read: (page: PageRequest) => Promise<Page<Item>>,
  ): Promise<readonly Item[]> => {
    const { items, more } = await upTo(entriesMax, read)
    if (more) truncated.push(name)
    return items
  }
  const members = await all('members', (page) => people.listMembers({ ...page, scope, account: null, user: id }))
  const invitations = await all('invitations', (page) =>
    people.listInvitations({ ...page, scope, account: null, email: user.email, openAt: null }),
  )
  const given = await all('grants', (page) =>
    grants.list({ ...page, scope, client: null, user: id, project: null, state: null }),
  )
  const sessions = await sessionsOf(parts, id)
  const own = [user, ...members, ...invitations, ...given, ...sessions].map((each) => each.id)
  const filter = { scope, account: null, credential: null, action: null, about: [own], from: null, to: null }
  const happened = await all('events', (page) => events.list({ ...page, ...filter }))
  return {
    exported_at: timestamp(now),
    user: userView(user),
    members: members.map(memberView),
    invitations: invitations.map((each) => invitationView(each, now)),
    grants: given.map(grantView),
    sessions: sessions.map(sessionView),
    events: await eventViews(happened, parts.store, scope),
    truncated,
  }
}

async function upTo<Item>(
  max: number,
  read: (page: PageRequest) => Promise<Page<Item>>,
): Promise<{ readonly items: readonly Item[]; readonly more: boolean }> {
  const items: Item[] = []
  let after: string | null = null
  do {
    const page: Page<Item> = await read({ limit: Math.min(100, max - items.length), after })
    items.push(...page.items)
    after = page.next
  } while (after !== null && items.length < max)
  return { items, more: after !== null }
}
