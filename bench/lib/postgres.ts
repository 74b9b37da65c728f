import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A PostgreSQL of its own for `work`: the one that the tests use. */
export async function withPostgres<Value>(work: (url: string) => Promise<Value>): Promise<Value> {
  const child = fork(new URL('../../tools/postgres-process.ts', import.meta.url), { detached: true })
  const exited = once(child, 'exit')
  try {
    const message: unknown = await Promise.race([once(child, 'message').then(([first]) => first as unknown), exited])
    if (typeof message !== 'object' || message === null || !('postgresUrl' in message)) {
      throw new Error('PostgreSQL did not start')
    }
    return await work(String(message.postgresUrl))
  } finally {
    if (child.connected) child.disconnect()
    await exited
  }
}
