import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { systemClock } from '../../packages/server/src/base/clock.ts'
import { openStore } from '../../packages/server/src/store/index.ts'

/**
 * Rows of `count` live credentials with one secret each and no lists of their own, in a data folder that no server
 * uses: written in bulk, because nothing that is measured afterwards depends on how they came there.
 */
export async function seedCredentials(dataFolder: string, count: number, accounts: number): Promise<void> {
  const store = await openStore({
    url: 'sqlite',
    dataFolder,
    checkpointsFolder: join(dataFolder, 'checkpoints'),
    clock: systemClock,
  })
  await store.close()
  if (count === 0) return
  const database = new DatabaseSync(join(dataFolder, 'postern.db'))
  try {
    database.exec('pragma synchronous = off; pragma cache_size = -200000')
    database.exec(`
      begin;
      with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i + 1 < ${accounts})
      insert into accounts (id, name, plan, state, metadata, created_at, version)
      select printf('acc_%032x', i), 'Account ' || i, 'pro', 'active', '{}', 1767225600000, 1 from numbers;
      insert into projects (id, account, name, environment, ip_allow, metadata, created_at, version)
      select 'prj_' || substr(id, 5), id, 'default', 'live', '[]', '{}', created_at, 1 from accounts
      where id like 'acc_%';
      with recursive numbers (i) as (select 0 union all select i + 1 from numbers where i + 1 < ${count})
      insert into credentials (id, public_id, form, kind, account, project, apis, name, scopes, ip_allow, limits, state,
        is_primary, hidden, metadata, created_by, created_at, version)
      select printf('cred_%012x', i), printf('%012x', i), 'key', 'secret', printf('acc_%032x', i % ${accounts}),
        printf('prj_%032x', i % ${accounts}), '["shop"]', 'Key ' || i, '["orders.read"]', '[]', '[]', 'active', 0, 0,
        '{}', 'bench', 1767225600000 + i, 1
      from numbers;
      insert into secrets (credential, id, digest, algorithm, hint, origin, created_at)
      select id, 'sec_' || lower(hex(randomblob(16))), randomblob(32), 'sha256', 'abcd', 'first', created_at
      from credentials;
      commit;
      pragma wal_checkpoint(truncate)`)
  } finally {
    database.close()
  }
}
