import { serve, type Config, type RunningServer, type StartFailure } from '@postern/server'

import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** Starts the server in this process, or stops with one message that names all that is in the way. */
export async function runServer(
  tools: Tools,
  config: Config,
  options: { readonly watch: boolean; readonly quiet: boolean },
): Promise<RunningServer> {
  const started = await serve(config, { env: tools.io.env, ...options })
  if (started.ok) return started.value
  throw inTheWay(started.error)
}

function inTheWay({ busy, locked, passed }: StartFailure): Stop {
  const reasons = [
    ...(passed === null ? [] : [passed]),
    ...(locked === null ? [] : [`the data folder ${locked.folder} is in use by ${lockOwner(locked.owner)}`]),
    ...byReason(busy),
  ]
  return new Stop(exit.failed, {
    what: 'The server cannot start, and nothing was changed',
    why: `${reasons.join('; ')}.`,
    next: wayOut({ busy, locked, passed }),
  })
}

function wayOut({ locked, passed }: StartFailure): string {
  if (passed !== null) return 'Let the socket unit and "listen" in postern.yaml say the same, then start it again.'
  return locked === null
    ? 'Stop what holds them, or choose other ports (dev: --port-base 19000; start: "listen" in postern.yaml).'
    : 'Stop the other server, or start this one in another folder.'
}

/** Addresses that are busy for one reason, in one line. */
function byReason(busy: StartFailure['busy']): readonly string[] {
  const groups = new Map<string, string[]>()
  for (const { host, port, reason, owner } of busy) {
    const why = busyReason(reason, owner)
    groups.set(why, [...(groups.get(why) ?? []), `${host}:${port}`])
  }
  return [...groups].map(([why, addresses]) => `${addresses.join(', ')}: ${why}`)
}

function lockOwner(owner: NonNullable<StartFailure['locked']>['owner']): string {
  return owner === null
    ? 'another server'
    : `process ${owner.pid}${'command' in owner ? ` (${String(owner.command)})` : ''}`
}

function busyReason(reason: string, owner: { readonly pid: number; readonly command: string } | null): string {
  switch (reason) {
    case 'EADDRINUSE':
      return owner === null
        ? 'in use by a process of another user'
        : `in use by process ${owner.pid} (${owner.command})`
    case 'EACCES':
      return 'this user has no right to listen there'
    case 'EADDRNOTAVAIL':
      return 'no address of this machine'
    default:
      return `cannot be listened on (${reason})`
  }
}
