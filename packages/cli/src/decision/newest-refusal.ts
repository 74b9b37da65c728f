import type { wire } from '@postern/contract'

import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'

const rowsMax = 300

/** Id of the newest refused request, that of this moment included. */
export async function newestRefusal(tools: Tools): Promise<string> {
  await logIsCurrent(tools)
  const rows = await tools.client().list<wire.Request>('/requests', {}, rowsMax)
  const refused = rows.find(({ code }) => code !== null)
  if (refused !== undefined) return refused.id
  throw new Stop(exit.failed, {
    what: 'No refused request is in the log',
    why: rows.length === 0 ? 'The log is empty.' : `The last ${rows.length} requests were all allowed.`,
    next: 'npx postern requests',
  })
}

/** How long a row may take to reach the log, at most. */
const logDelayMs = 3_000

/** A refusal of this moment may still be on its way to the log: waits until the log has all up to now. */
async function logIsCurrent({ client, io }: Tools): Promise<void> {
  const startedAt = io.now()
  const period = {
    from: new Date(startedAt - 60_000).toISOString(),
    to: new Date(startedAt).toISOString(),
    step: 'minute',
  }
  while (io.now() - startedAt < logDelayMs) {
    const { observed_through: through } = await client().get<wire.Usage>('/usage', period)
    if (through !== null && Date.parse(through) >= startedAt) return
    await io.sleep(200)
  }
}
