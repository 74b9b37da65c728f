import { DatabaseSync } from 'node:sqlite'

import { packRequests } from '../../packages/server/src/core/usage/request-blocks.ts'
import type { RequestRow } from '../../packages/server/src/core/usage/usage.ts'
import { createTermGatherer } from '../../packages/server/src/store/request-index.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs
export const monthDays = 30
const rowsAtOnce = 100_000

export const credentialId = (number: number): string => `cred_${String(number).padStart(12, '0')}`
export const accountId = (number: number): string => `acc_${String(number).padStart(32, '0')}`

/**
 * A month of requests up to `end` in the usage file of a store that is closed, with the sums that the store would
 * have made of them: written in bulk, because request by request it would take an hour. 1,000 credentials of 100
 * accounts; a few of them send most of the requests, as customers do: the first tenth sends nearly half.
 */
export function fillMonth(file: string, requests: number, end: number, progress: (text: string) => void): void {
  const database = new DatabaseSync(file)
  try {
    database.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000')
    progress('requests')
    drawRequests(database, requests, end)
    progress('the log')
    writeLog(database)
    progress('sums')
    sumUp(database, 'minute', 60_000, end - 2 * dayMs)
    sumUp(database, 'hour', hourMs, 0)
    sumUp(database, 'day', dayMs, 0)
    database.exec(`update usage_rollup set through = ${end}`)
    database.exec('pragma journal_mode = wal')
  } finally {
    database.close()
  }
}

/** The log as the store writes it; lists of an hour each, as where the server is asked seldom. */
function writeLog(database: DatabaseSync): void {
  const insertBlock = database.prepare('insert into request_blocks (second, rows) values (?, ?)')
  const insertList = database.prepare('insert into request_terms (term, hour, list, blocks) values (?, ?, ?, ?)')
  const read = database.prepare('select * from temp.drawn_requests where rowid > ? and rowid <= ?')
  let through = 0
  for (let after = 0; ; after += rowsAtOnce) {
    // The columns are named as the fields of a request.
    const rows = read.all(after, after + rowsAtOnce) as unknown as readonly RequestRow[]
    if (rows.length === 0) break
    const gathered = createTermGatherer()
    database.exec('begin')
    for (const block of packRequests(rows)) {
      through = Number(insertBlock.run(block.second, block.rows).lastInsertRowid)
      gathered.add({ block: through, second: block.second }, block.rows)
    }
    for (const { term, hour, list, blocks } of gathered.lists()) insertList.run(term, hour, list, blocks)
    database.exec('commit')
  }
  database.exec(`update request_indexed set through = ${through}`)
}

function drawRequests(database: DatabaseSync, requests: number, end: number): void {
  const span = monthDays * dayMs
  database.exec(`
    create temp table drawn_requests (id, at, api, route, method, path, status, code, outcome, account, project,
      credential, secret, ip, country, userAgent, latencyMs, trace);
    with recursive
    numbers (i) as (select 0 union all select i + 1 from numbers where i + 1 < ${requests}),
    drawn as (
      select i, ${end - span} + cast(i * ${span / requests} as integer) as at, (i * 2654435761) % 4294967296 as tail
      from numbers
    ),
    shared as (select *, tail / 4294967296.0 as u, tail >> 3 & 3 as route, tail >> 5 as rest from drawn),
    named as (
      select *, cast(1000 * u * u * u as integer) as credential, rest % 10 as outcome, rest / 10 % 5 as country
      from shared
    )
    insert into temp.drawn_requests
    select printf('req_%012x7%03x%016x', at, i & 4095, tail), at, 'shop',
      case route when 0 then 'getOrder' when 1 then 'listOrders' when 2 then 'createOrder' else 'getStock' end,
      'GET', '/v1/orders/' || (tail % 100000),
      case outcome when 0 then 429 when 1 then 403 when 2 then 500 when 3 then 404 else 200 end,
      case outcome when 0 then 'rate_limited' when 1 then 'scope_missing' end,
      case outcome when 0 then 'rate_limited' when 1 then 'scope_missing' when 2 then '5xx' when 3 then '4xx' else '2xx' end,
      printf('acc_%032d', credential % 100), printf('prj_%032d', credential % 100), printf('cred_%012d', credential),
      printf('sec_%032d', credential), '203.0.113.7', case country when 0 then 'US' when 1 then 'FR' else 'DE' end,
      'example-client/1.0', (tail % 10000) / 100.0, null
    from named`)
}

function sumUp(database: DatabaseSync, unit: string, span: number, from: number): void {
  const sum = (table: string, columns: string) =>
    database.exec(`insert into ${table} (at, ${columns}, count)
      select at - at % ${span}, ${columns}, count(*) from temp.drawn_requests where at >= ${from}
      group by at - at % ${span}, ${columns}`)
  sum(`usage_${unit}s`, 'account, credential, api, route, outcome, country, project')
  if (unit === 'minute') return
  sum(`total_${unit}s`, 'account, api, route, outcome, project')
  sum(`country_${unit}s`, 'account, api, outcome, country, project')
}
