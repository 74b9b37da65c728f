import pg from 'pg'

import type { Clock, Timer } from '../../base/clock.ts'
import { connectionConfig } from './pool.ts'

export const channel = 'postern_events'
const retryMs = 1_000

export interface Listening {
  stop(): Promise<void>
}

/**
 * Calls `onHint` when some node committed, on a connection of its own that comes back by itself. What was missed
 * meanwhile is one hint after the return; the poll is the guarantee.
 */
export function startListening(url: string, clock: Clock, onHint: () => void): Listening {
  let client: pg.Client | null = null
  let retry: Timer | null = null
  let stopped = false

  const lose = (lost: pg.Client) => {
    if (client !== lost) return
    client = null
    void lost.end().catch(() => {})
    if (!stopped) retry = clock.after(retryMs, () => void connect())
  }
  const connect = async () => {
    const fresh = new pg.Client(connectionConfig(url))
    client = fresh
    fresh.on('error', () => lose(fresh))
    fresh.on('end', () => lose(fresh))
    fresh.on('notification', onHint)
    try {
      await fresh.connect()
      await fresh.query(`listen ${channel}`)
      onHint()
    } catch {
      lose(fresh)
    }
  }
  const first = connect()
  return {
    stop: async () => {
      stopped = true
      retry?.stop()
      await first
      const last = client
      client = null
      await last?.end().catch(() => {})
    },
  }
}
