import { createServer } from 'node:http'

import Database from 'better-sqlite3'
import Provider from 'oidc-provider'

/**
 * Run as a process of its own, with its port and the file of its database: node-oidc-provider over SQLite (WAL,
 * synchronous NORMAL, one prepared statement for each operation), with client_credentials, introspection and
 * revocation and one client. Everything else is switched off.
 */
const [port, file] = [Number(process.argv[2]), process.argv[3] ?? '']
process.env['NODE_ENV'] = 'production'

const database = new Database(file)
database.pragma('journal_mode = WAL')
database.pragma('synchronous = NORMAL')
database.exec(
  'create table artifacts (key text primary key, payload text not null, grant_id text, consumed integer, expires_at integer) without rowid',
)
const statements = {
  upsert: database.prepare('insert or replace into artifacts (key, payload, grant_id, expires_at) values (?, ?, ?, ?)'),
  find: database.prepare<[string], { payload: string; consumed: number | null; expires_at: number | null }>(
    'select payload, consumed, expires_at from artifacts where key = ?',
  ),
  consume: database.prepare('update artifacts set consumed = ? where key = ?'),
  destroy: database.prepare('delete from artifacts where key = ?'),
  revoke: database.prepare('delete from artifacts where grant_id = ?'),
}

/** What the provider stores its artifacts with. */
class SqliteAdapter {
  readonly #model: string

  constructor(model: string) {
    this.#model = model
  }

  async upsert(id: string, payload: { readonly grantId?: string }, expiresIn?: number): Promise<void> {
    const expiresAt = expiresIn === undefined ? null : Date.now() + expiresIn * 1000
    statements.upsert.run(this.#key(id), JSON.stringify(payload), payload.grantId ?? null, expiresAt)
  }

  async find(id: string): Promise<object | undefined> {
    const row = statements.find.get(this.#key(id))
    if (row === undefined || (row.expires_at !== null && row.expires_at <= Date.now())) return undefined
    const payload = JSON.parse(row.payload) as object
    return row.consumed === null ? payload : { ...payload, consumed: row.consumed }
  }

  async findByUserCode(): Promise<undefined> {
    return undefined
  }

  async findByUid(): Promise<undefined> {
    return undefined
  }

  async consume(id: string): Promise<void> {
    statements.consume.run(Math.floor(Date.now() / 1000), this.#key(id))
  }

  async destroy(id: string): Promise<void> {
    statements.destroy.run(this.#key(id))
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    statements.revoke.run(grantId)
  }

  #key(id: string): string {
    return `${this.#model}:${id}`
  }
}

const issuer = `http://127.0.0.1:${port}`
const provider = new Provider(issuer, {
  adapter: SqliteAdapter,
  clients: [
    {
      client_id: 'bench',
      client_secret: 'a-secret-of-a-client-in-a-bench-0123456789',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: 'orders.read',
    },
  ],
  scopes: ['orders.read'],
  ttl: { ClientCredentials: 900 },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: { enabled: false },
  },
}) as { callback(): Parameters<typeof createServer>[1] }

createServer({ keepAliveTimeout: 120_000 }, provider.callback()).listen(port, '127.0.0.1', () => {
  process.stdout.write('{"ready":true}\n')
})
