import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'

import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import Database from 'better-sqlite3'

/**
 * Run as a process of its own, with its port, a folder for the database, and `limited` or `unlimited`: its
 * `verifyApiKey` behind the smallest possible server, since it can only be called from within a program. Says the key
 * that it has made. Nobody has to identify himself to this server, as one has to for ours.
 */
const [port, folder, limited] = [Number(process.argv[2]), process.argv[3] ?? '', process.argv[4] === 'limited']
const otherKeys = 100_000

const database = new Database(join(folder, 'better-auth.db'))
database.pragma('journal_mode = WAL')
database.pragma('synchronous = NORMAL')
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'a-secret-of-a-bench-with-more-than-forty-characters',
  database,
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
  plugins: [
    apiKey({ rateLimit: limited ? { enabled: true, maxRequests: 1e9, timeWindow: 60_000 } : { enabled: false } }),
  ],
})
await (await getMigrations(auth.options)).runMigrations()
const { user } = await auth.api.signUpEmail({
  body: { name: 'Bench', email: 'bench@example.com', password: 'a-password-of-a-bench' },
})
const { key } = await auth.api.createApiKey({ body: { userId: user.id, name: 'bench' } })
addOtherKeys()

const server = createServer((request, response) => {
  verify(request).then(
    ({ status, text }) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      response.writeHead(status, headers).end(text)
    },
    (error: unknown) => {
      console.error(error)
      response.destroy()
    },
  )
})
server.keepAliveTimeout = 120_000
server.listen(port, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ key })}\n`))

async function verify(request: IncomingMessage): Promise<{ readonly status: number; readonly text: string }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as { readonly key: string }
  const answer: { readonly valid: boolean } = await auth.api.verifyApiKey({ body })
  return { status: answer.valid ? 200 : 401, text: JSON.stringify(answer) }
}

/** As many as our store holds: copies of the one row under other keys. */
function addOtherKeys(): void {
  const columns = database.pragma('table_info(apikey)') as readonly { readonly name: string }[]
  const names = columns.map(({ name }) => `"${name}"`)
  const values = columns.map(({ name }) =>
    name === 'id' || name === 'key' ? `lower(hex(randomblob(16)))` : `"${name}"`,
  )
  database.exec(`
    with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${otherKeys})
    insert into apikey (${names.join(', ')})
    select ${values.join(', ')} from (select * from apikey limit 1), numbers;
    pragma wal_checkpoint(truncate)`)
}
