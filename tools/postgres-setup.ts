import { fork } from 'node:child_process'
import { once } from 'node:events'

import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of an empty PostgreSQL of this run, as its superuser: `postgres://…/postgres`. */
    postgresUrl: string
  }
}

/** Starts PostgreSQL for a test project and provides its address; what it returns stops the server again. */
export default async function startPostgres(project: TestProject): Promise<() => Promise<void>> {
  // In a process group of its own: Ctrl-C ends the run, and the end of the run is what lets the server clean up.
  const child = fork(new URL('postgres-process.ts', import.meta.url), { detached: true })
  const exited = once(child, 'exit')
  const message: unknown = await Promise.race([
    once(child, 'message').then(([first]) => first as unknown),
    exited.then(([code]) => new Error(`PostgreSQL did not start: its process ended with code ${String(code)}`)),
  ])
  if (message instanceof Error) throw message
  project.provide('postgresUrl', (message as { readonly postgresUrl: string }).postgresUrl)

  return async () => {
    if (child.connected) child.disconnect()
    await exited
  }
}
