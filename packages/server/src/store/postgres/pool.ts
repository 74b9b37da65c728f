import pg from 'pg'

import { StoreUnavailable } from '../../core/store.ts'

/** A database that does not answer for this long is unavailable: the caller hears it instead of waiting. */
const answerMs = 5_000
const poolSize = 10

/** int8 and numeric as numbers: ours are counts and epoch milliseconds, far below 2^53. */
const numeric: ReadonlySet<number> = new Set([pg.types.builtins.INT8, pg.types.builtins.NUMERIC])
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format): unknown => (numeric.has(oid) ? Number : pg.types.getTypeParser(oid, format)),
}

export function connectionConfig(url: string): pg.ClientConfig {
  return {
    connectionString: secured(url),
    types,
    connectionTimeoutMillis: answerMs,
    statement_timeout: answerMs,
    query_timeout: answerMs,
    keepAlive: true,
    application_name: 'postern',
  }
}

/** For migrations alone, which may take longer. */
export const patientConfig = (url: string): pg.ClientConfig => ({
  connectionString: secured(url),
  types,
  connectionTimeoutMillis: answerMs,
  application_name: 'postern',
})

/**
 * Credentials and audit never cross a network in clear unless the operator wrote so: beyond loopback and sockets TLS
 * with a verified certificate is the default. Throws where the address asks for something in between.
 */
export function secured(url: string): string {
  const address = new URL(url)
  const mode = address.searchParams.get('sslmode')
  if (mode === 'allow' || mode === 'prefer') {
    throw new Error(`sslmode=${mode} may fall back to no encryption: write verify-full, or disable to go without`)
  }
  if (mode !== null || isLocal(address)) return url
  address.searchParams.set('sslmode', 'verify-full')
  return address.toString()
}

function isLocal({ hostname, searchParams }: URL): boolean {
  const host = hostname === '' ? (searchParams.get('host') ?? '') : hostname
  return (
    host === '' || host.startsWith('/') || host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
  )
}

export interface Pool {
  connect(): Promise<PoolClient>
  end(): Promise<void>
  readonly options: object
}

interface PoolClient {
  query<Row>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<Row & pg.QueryResultRow>>
  /** Rows as arrays of their columns, for many at once. */
  arrays<Row extends readonly unknown[]>(text: string, values: readonly unknown[]): Promise<readonly Row[]>
  release(): void
}

/** A pool that throws away a connection which did not answer, and says `StoreUnavailable` for it. */
export function createPool(url: string): Pool {
  const pool = new pg.Pool({ ...connectionConfig(url), max: poolSize, idleTimeoutMillis: 30_000 })
  // A connection that breaks while idle leaves the pool; whoever asks next gets a new one.
  pool.on('error', () => {})
  // One that breaks while it is lent is told by its next query; without a listener it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}))
  return {
    options: {},
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect().catch((error: unknown) => {
        throw unavailable(error)
      })
      return guarded(client)
    },
  }
}

function guarded(client: pg.PoolClient): PoolClient {
  let lost: StoreUnavailable | null = null
  const guard = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    if (lost !== null) throw lost
    try {
      return await ask()
    } catch (error) {
      if (!isConnectionFailure(error)) throw error
      lost = unavailable(error)
      throw lost
    }
  }
  return {
    query: <Row>(text: string, values: readonly unknown[]) =>
      guard(() => client.query<Row & pg.QueryResultRow>(text, [...values])),
    arrays: async <Row extends readonly unknown[]>(text: string, values: readonly unknown[]) => {
      const { rows } = await guard(() => client.query({ text, values: [...values], rowMode: 'array' }))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the caller's own list of columns
      return rows as unknown as readonly Row[]
    },
    release: () => client.release(lost !== null),
  }
}

export const unavailable = (cause: unknown): StoreUnavailable =>
  new StoreUnavailable('the database does not answer', { cause })

/** SQLSTATE classes 08 (connection), 57 (operator intervention, so also a statement's time limit), 53300. */
function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    /^(08|57P?)\d+$|^53300$|^E[A-Z]+$/.test(code) ||
    /timeout|terminated|not queryable|Connection ended|connection is closed/i.test(error.message)
  )
}
