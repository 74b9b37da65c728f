import { mainMigrations, usageMigrations } from '../migrations/index.ts'
import { migrate, sqliteDialect } from '../migrations/migrate.ts'
import { kyselyOver } from './dialect.ts'
import { mainFile, openWriter, usageFile } from './files.ts'

/** Brings both files to the newest form, under the exclusive lock of each. */
export async function migrateFiles(folder: string, now: number): Promise<void> {
  await migrateFile(mainFile(folder), mainMigrations, now)
  await migrateFile(usageFile(folder), usageMigrations, now)
}

async function migrateFile(path: string, migrations: typeof mainMigrations, now: number): Promise<void> {
  const database = openWriter(path, 'FULL')
  try {
    database.exec('begin exclusive')
    await migrate(kyselyOver(database), migrations, sqliteDialect, now)
    database.exec('commit')
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    // An open transaction is rolled back by closing.
    database.close()
  }
}
