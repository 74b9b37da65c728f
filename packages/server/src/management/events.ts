import { wire } from '@postern/contract'
import Type from 'typebox'

import type { AuditEvent } from '../core/audit/event.ts'
import type { Scope, Store } from '../core/store.ts'
import { callerOf } from './caller.ts'
import { found } from './commits.ts'
import { operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { instantOrNull, timestamp } from './times.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Events'
const Id = Type.Optional(Type.String({ maxLength: 100 }))

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
          from: Type.Optional(wire.Timestamp),
          to: Type.Optional(wire.Timestamp),
        },
        wire.closed,
      ),
      response: { 200: wire.EventList },
    }),
    async (request) => {
      const { account = null, credential = null, action = null, from, to } = request.query
      const filter = { account, credential, action, from: instantOrNull(from), to: instantOrNull(to) }
      const { scope } = callerOf(request)
      const page = await parts.store.events.list({ ...pageRequest(request.query), ...filter, scope })
      const strangers = await strangersIn(page.items, parts.store, scope)
      return pageView(page, (event) => eventView(event, strangers))
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

/** Actors outside the caller's account, such as the operator: where they came from is not an account's to read. */
async function strangersIn(shown: readonly AuditEvent[], store: Store, scope: Scope): Promise<ReadonlySet<string>> {
  const strangers = new Set<string>()
  if (scope === null) return strangers
  for (const { id, kind } of new Map(shown.map(({ actor }) => [actor.id, actor])).values()) {
    if (kind !== 'credential' || (await store.credentials.find({ id, scope })) === null) strangers.add(id)
  }
  return strangers
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
