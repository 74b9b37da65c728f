import type { EventStore } from '../store.ts'
import type { AuditEvent } from './event.ts'

const batch = 1000

/** Every event, oldest first, read in batches. */
export async function* allEvents(events: Pick<EventStore, 'range'>): AsyncGenerator<AuditEvent> {
  for (let after = 0; ;) {
    const read = await events.range({ after, limit: batch })
    yield* read
    const last = read.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}
