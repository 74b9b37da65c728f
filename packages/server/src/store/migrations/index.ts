import { main0001 } from './0001-main.ts'
import { usage0001 } from './0001-usage.ts'
import type { Migration } from './migrate.ts'

/** In order, append-only. On SQLite each list belongs to its own file. */
export const mainMigrations: readonly Migration[] = [main0001]
export const usageMigrations: readonly Migration[] = [usage0001]
