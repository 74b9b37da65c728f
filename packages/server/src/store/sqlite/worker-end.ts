import { parentPort, type TransferListItem } from 'node:worker_threads'

import { toWire, type Call, type Reply } from './messages.ts'

/** The worker's end: how it hears calls and answers them. */
export interface WorkerEnd {
  readonly answer: (id: number, value: unknown, transfer?: readonly TransferListItem[]) => void
  readonly reject: (id: number, error: unknown) => void
  readonly progress: (id: number, progress: unknown) => void
}

/**
 * Calls `serve` with all calls that have come since it last ended; never twice at once. `serve` awaits only the
 * synchronous database, so that what comes meanwhile waits for the next round.
 */
export function serveCalls(serve: (calls: readonly Call[], end: WorkerEnd) => Promise<void>): void {
  const port = parentPort
  if (port === null) throw new Error('this module runs in a worker')
  const post = (reply: Reply, transfer: readonly TransferListItem[] = []) => port.postMessage(reply, [...transfer])
  const end: WorkerEnd = {
    answer: (id, value, transfer) => post({ id, value }, transfer),
    reject: (id, error) => post({ id, error: toWire(error) }),
    progress: (id, progress) => post({ id, progress }),
  }
  let waiting: Call[] = []
  let serving = false
  const round = async () => {
    while (waiting.length > 0) {
      const calls = waiting
      waiting = []
      await serve(calls, end)
    }
    serving = false
  }
  port.on('message', (call: Call) => {
    waiting.push(call)
    if (serving) return
    serving = true
    // All messages of this turn are delivered before the round begins.
    setImmediate(() => void round())
  })
}
