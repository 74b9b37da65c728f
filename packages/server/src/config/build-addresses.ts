import type { ConfigFile } from '@postern/contract'

import { createAddressTable, parseAddress } from '../core/apis/address-table.ts'
import type { Address, AddressTable, Api } from '../core/apis/api.ts'
import { collides } from './build-listen.ts'
import type { Listen, Socket } from './config.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { pathText } from './issue.ts'
import type { Placed } from './placed.ts'
import { writtenAddresses } from './written.ts'

export interface Addresses {
  readonly table: AddressTable
  readonly own: readonly Socket[]
  /** Where each address is written. */
  readonly places: ReadonlyMap<Address, Path>
}

/** The table, and the listeners that addresses such as ":9001" ask for. Null where an error prevents it. */
export function buildAddresses(
  written: NonNullable<ConfigFile['apis']>,
  apis: ReadonlyMap<string, Api>,
  listen: Omit<Listen, 'own' | 'tls'>,
  context: Context,
): Addresses | null {
  const places = new Map<Address, Path>()
  for (const [id, declared] of Object.entries(written)) {
    const api = apis.get(id)
    if (api === undefined) continue
    for (const each of writtenAddresses(declared, ['apis', id])) add(places, api, each, context)
  }
  const table = createAddressTable([...places.keys()], listen.gateway.port)
  if (table.ok) return { table: table.value, own: ownSockets(places, listen, context), places }
  const first = pathText(places.get(table.error.first) ?? [])
  context.report.error(places.get(table.error.second) ?? [], `is the same address as ${first}`)
  return null
}

function add(
  places: Map<Address, Path>,
  api: Api,
  { value, environment, region, path }: Placed<string>,
  { report }: Context,
): void {
  const parts = parseAddress(value)
  if (parts.ok) places.set({ api, environment, region, ...parts.value }, path)
  else report.error(path, parts.error)
}

function ownSockets(
  places: ReadonlyMap<Address, Path>,
  listen: Omit<Listen, 'own' | 'tls'>,
  { report }: Context,
): readonly Socket[] {
  const sockets = new Map<number, Socket>()
  for (const [{ port }, at] of places) {
    if (port === null || port === listen.gateway.port || sockets.has(port)) continue
    const socket = { host: listen.gateway.host, port }
    const taken = (['console', 'ops', 'forwardAuth'] as const).find((face) => collides(listen[face], socket))
    if (taken === undefined) sockets.set(port, socket)
    else report.error(at, `uses the same port as listen.${taken}`)
  }
  return [...sockets.values()]
}
