import { main0001 } from './0001-main.ts'
import { usage0001 } from './0001-usage.ts'
import { main0002 } from './0002-regions.ts'
import { usage0002 } from './0002-usage.ts'
import { main0003 } from './0003-models.ts'
import { main0004 } from './0004-exposed-secrets.ts'
import { main0005 } from './0005-connections.ts'
import { main0006 } from './0006-oauth-clients.ts'
import { main0007 } from './0007-tokens-people.ts'
import { main0008 } from './0008-events-about-people.ts'
import type { Migration } from './migrate.ts'

/** In order, append-only. On SQLite each list belongs to its own file. */
export const mainMigrations: readonly Migration[] = [
  main0001,
  main0002,
  main0003,
  main0004,
  main0005,
  main0006,
  main0007,
  main0008,
]
export const usageMigrations: readonly Migration[] = [usage0001, usage0002]
