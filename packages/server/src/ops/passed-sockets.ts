import { fail, ok, type Result } from '../base/result.ts'

/** Listening sockets that this process was started with: file descriptors by what they are for. */
export interface PassedSockets {
  readonly gateway: number | null
  readonly console: number | null
  readonly ops: number | null
  readonly forwardAuth: number | null
  /** For addresses such as ":9001", by port. */
  readonly own: ReadonlyMap<number, number>
}

export const noPassedSockets: PassedSockets = {
  gateway: null,
  console: null,
  ops: null,
  forwardAuth: null,
  own: new Map(),
}

const firstDescriptor = 3
const namesAllowed = 'gateway, console, ops, forward_auth, or the port of an address such as ":9001"'

/**
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES (sd_listen_fds(3)). Variables that are meant for another process
 * count as absent. Without names the order is gateway, console, ops. The error is a sentence.
 */
export function passedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): Result<PassedSockets, string> {
  const count = Number(env['LISTEN_FDS'] ?? '0')
  if (env['LISTEN_PID'] !== String(pid) || count === 0) return ok(noPassedSockets)
  if (!Number.isInteger(count) || count < 0 || count > 1_000) return fail('LISTEN_FDS is no number of sockets')
  const names = env['LISTEN_FDNAMES']?.split(':') ?? ['gateway', 'console', 'ops'].slice(0, count)
  if (names.length !== count) return fail(`LISTEN_FDS says ${count}, but LISTEN_FDNAMES names ${names.length}`)
  const descriptors = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    if (!/^(gateway|console|ops|forward_auth|[0-9]{1,5})$/.test(name)) {
      return fail(`a socket was passed as "${name}"; FileDescriptorName= must be ${namesAllowed}`)
    }
    if (descriptors.has(name)) return fail(`two sockets were passed as "${name}"`)
    descriptors.set(name, firstDescriptor + index)
  }
  const of = (name: string): number | null => descriptors.get(name) ?? null
  const own = [...descriptors].flatMap(([name, fd]) => (/^[0-9]+$/.test(name) ? [[Number(name), fd] as const] : []))
  return ok({
    gateway: of('gateway'),
    console: of('console'),
    ops: of('ops'),
    forwardAuth: of('forward_auth'),
    own: new Map(own),
  })
}
