import { allEvents } from '../../core/audit/all-events.ts'
import type { AuditEvent } from '../../core/audit/event.ts'
import { eventRange } from '../operations/events.ts'
import { kyselyOver } from './dialect.ts'
import { mainFile, openReader } from './files.ts'

/** Every event of a data folder, oldest first, read from the file itself; a server may be running on it. */
export async function* offlineEvents(dataFolder: string): AsyncGenerator<AuditEvent> {
  const database = openReader(mainFile(dataFolder))
  try {
    const db = kyselyOver(database)
    yield* allEvents({ range: (input) => eventRange(db, input) })
  } finally {
    database.close()
  }
}
