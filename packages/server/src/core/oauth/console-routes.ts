import type { Route, RouteTable } from '../apis/api.ts'
import { createRouteTable } from '../apis/route-table.ts'
import type { LocalEndpoint } from './local-route.ts'
import { standardDialect } from './standard-dialect.ts'

/** Something that the console serves beside the management API. `path` is a pattern. */
export interface ConsolePage {
  /** Of its route, in counts and in the request log. Several paths may have one. */
  readonly id: string
  readonly path: string
  /** An endpoint for tokens; absent: a page, which is refused in clear without being asked. */
  readonly endpoint?: Exclude<LocalEndpoint, 'page'>
}

/** Outside the numbers that declared routes are given, below that of the management API. */
const firstIndex = 4000
const lastIndex = 4094

/** Routes of the reserved API `postern`: decided on like any other as far as transport and path go, and then served. */
export function consoleRoutes(pages: readonly ConsolePage[]): RouteTable {
  const ids = [...new Set(pages.map(({ id }) => id))]
  if (firstIndex + ids.length > lastIndex) throw new Error('the console has more routes than numbers for them')
  const routes = pages.map(({ id, path, endpoint }): Route => ({
    ...page,
    id,
    pattern: path,
    index: firstIndex + ids.indexOf(id),
    local: { endpoint: endpoint ?? 'page', dialect: standardDialect },
  }))
  const table = createRouteTable(routes, { caseInsensitive: false })
  if (!table.ok) throw new Error(`the console has ${table.error.second.pattern} twice`)
  return table.value
}

const page: Omit<Route, 'id' | 'pattern' | 'index' | 'local'> = {
  methods: [],
  scopes: { any: [], all: [] },
  clientSide: false,
  cost: 1,
  limits: [],
  rawPath: false,
  onStale: 'refuse',
  onRevoke: 'close',
  timeouts: { connectMs: 0, firstByteMs: 0, idleMs: 0, totalMs: null },
  bodyBytesMax: 65_536,
  headerBytesMax: null,
  maintenance: null,
  title: null,
  contract: null,
  connection: null,
  llm: null,
}
