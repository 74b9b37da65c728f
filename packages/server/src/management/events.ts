import { wire } from '@postern/contract'
import Type from 'typebox'

import type { Actor, AuditEvent } from '../core/audit/event.ts'
import type { Scope, Store } from '../core/store.ts'
import { callerOf } from './caller.ts'
import { found } from './commits.ts'
import { operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { instantOrNull, timestamp } from './times.ts'
import { pageRequest } from './views.ts'

const tag = 'Events'
const Id = Type.Optional(Type.String({ maxLength: 100 }))
const About = Type.Optional(Type.String({ minLength: 1, maxLength: 100 }))

export const events: Resource = (app, parts) => {
  app.get(
    '/events',
    operation('listEvents', {
      tag,
      summary: 'Read the audit log, newest first',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          account: Id,
          credential: Id,
          action: Id,
          user: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Who acted or was acted on.' })),
          grant: About,
          token: About,
          from: Type.Optional(wire.Timestamp),
          to: Type.Optional(wire.Timestamp),
        },
        wire.closed,
      ),
      response: { 200: wire.EventList },
    }),
    async (request) => {
      const { account = null, credential = null, action = null, user, grant, token, from, to } = request.query
      const about = [user, grant, token].filter((id) => id !== undefined).map((id) => [id])
      const filter = { account, credential, action, about, from: instantOrNull(from), to: instantOrNull(to) }
      const { scope } = callerOf(request)
      const page = await parts.store.events.list({ ...pageRequest(request.query), ...filter, scope })
      return { data: await eventViews(page.items, parts.store, scope), next_cursor: page.next }
    },
  )

  app.get(
    '/events/:sequence',
    operation('getEvent', {
      tag,
      summary: 'Read one event',
      params: Type.Object({ sequence: Type.String() }),
      response: { 200: wire.ref(wire.Event) },
    }),
    async (request) => {
      const sequence = /^[1-9][0-9]{0,14}$/.test(request.params.sequence) ? Number(request.params.sequence) : null
      found(sequence)
      const [event] = await parts.store.events.range({ after: Number(sequence) - 1, limit: 1 })
      const { scope } = callerOf(request)
      const visible = event?.sequence === sequence && (scope === null || event?.account === scope)
      const seen = found(visible ? (event ?? null) : null)
      return eventView(seen, await strangersIn([seen], parts.store, scope))
    },
  )
}

export async function eventViews(shown: readonly AuditEvent[], store: Store, scope: Scope): Promise<wire.Event[]> {
  const strangers = await strangersIn(shown, store, scope)
  return shown.map((event) => eventView(event, strangers))
}

/** Actors outside the caller's account, such as the operator: where they came from is not an account's to read. */
async function strangersIn(shown: readonly AuditEvent[], store: Store, scope: Scope): Promise<ReadonlySet<string>> {
  const strangers = new Set<string>()
  if (scope === null) return strangers
  for (const actor of new Map(shown.map(({ actor: each }) => [each.id, each])).values()) {
    if (!(await isOwn(actor, store, scope))) strangers.add(actor.id)
  }
  return strangers
}

async function isOwn({ id, kind }: Actor, store: Store, scope: string): Promise<boolean> {
  switch (kind) {
    case 'credential':
      return (await store.credentials.find({ id, scope })) !== null
    case 'user': {
      const filter = { account: scope, user: id, scope, limit: 1, after: null }
      return (await store.people.listMembers(filter)).items.length > 0
    }
    case 'bootstrap':
    case 'system':
      return false
  }
}

function eventView(event: AuditEvent, strangers: ReadonlySet<string>): wire.Event {
  const personal = strangers.has(event.actor.id) ? null : event.personal
  return {
    sequence: event.sequence,
    at: timestamp(event.at),
    actor: { ...event.actor },
    action: event.action,
    target: { kind: event.targetKind, id: event.targetId },
    account: event.account,
    project: event.project,
    before: event.before === null ? null : { ...event.before },
    after: event.after === null ? null : { ...event.after },
    request_id: event.requestId,
    ip: personal?.ip ?? null,
    user_agent: personal?.userAgent ?? null,
    commitment: event.commitment,
    previous_hash: event.previousHash,
    hash: event.hash,
  }
}
