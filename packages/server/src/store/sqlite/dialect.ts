import type Database from 'better-sqlite3'
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely'

import type { Db, Tables } from '../schema.ts'

/**
 * Kysely over one synchronous connection. Transactions are the caller's: it runs one operation after the other, and
 * an operation awaits nothing but these answers, so that two never interleave.
 */
export function kyselyOver(database: Database.Database): Db {
  const connection = createConnection(database)
  const driver: Driver = {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    destroy: async () => {},
    beginTransaction: refused,
    commitTransaction: refused,
    rollbackTransaction: refused,
  }
  return new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
}

const refused = (): Promise<never> => Promise.reject(new Error('the writer owns the transaction'))

/** Statements stay prepared: the same operation asks the same texts. */
const preparedMax = 200

function createConnection(database: Database.Database): DatabaseConnection {
  const prepared = new Map<string, Database.Statement>()
  const prepare = (text: string): Database.Statement => {
    const known = prepared.get(text)
    if (known !== undefined) return known
    const statement = database.prepare(text)
    if (prepared.size >= preparedMax) prepared.clear()
    prepared.set(text, statement)
    return statement
  }
  return {
    executeQuery: async <Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> => {
      const statement = prepare(sql)
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely's types describe the columns
      if (statement.reader) return { rows: statement.all(...parameters) as Row[] }
      const { changes } = statement.run(...parameters)
      return { rows: [], numAffectedRows: BigInt(changes) }
    },
    streamQuery: () => {
      throw new Error('streams read their own prepared statement')
    },
  }
}
