import { onTestFinished } from 'vitest'

import { type FixedClock, systemClock } from '../../base/clock.ts'
import { createIds } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import type { UsableConnections } from '../connected.ts'
import { createGateway, type Gateway } from '../gateway.ts'
import type { WireLimits } from '../wire-limits.ts'
import { type FakeDataPlane, type FakeOptions, fakeDataPlane } from './fake-data-plane.ts'
import { type RawUpstream, type Reply, rawUpstream } from './raw-upstream.ts'

export interface Harness {
  readonly port: number
  readonly upstream: RawUpstream
  readonly dataPlane: FakeDataPlane
  readonly faults: string[]
  /** What became of targets: `failing http://…: why`. */
  readonly targetChanges: string[]
  readonly gateway: Gateway
  readonly close: (graceMs: number) => Promise<void>
}

/** A gateway in front of a raw upstream; both end with the test. */
export async function gatewayTo(
  reply?: Reply,
  options: FakeOptions & {
    readonly wire?: Partial<WireLimits>
    readonly clock?: FixedClock
    readonly upstreamPort?: number
    readonly connections?: UsableConnections
  } = {},
): Promise<Harness> {
  const upstream = await rawUpstream(reply)
  const dataPlane = fakeDataPlane(options.upstreamPort ?? upstream.port, options)
  const faults: string[] = []
  const targetChanges: string[] = []
  const clock = options.clock ?? systemClock
  const gateway = createGateway({
    dataPlane,
    clock,
    ids: createIds(systemClock, systemRandom),
    reportFault: (event) => void faults.push(event),
    onTargetChange: ({ change, target, why }) => void targetChanges.push(`${change} ${target}: ${why}`),
    ...(options.connections && { connections: options.connections }),
    ...(options.wire && { limits: options.wire }),
  })
  const listening = await gateway.listen([{ host: '127.0.0.1', port: 0 }])
  if (!listening.ok) throw new Error('no port is free')
  let closing: Promise<void> | null = null
  const close = (graceMs: number) => (closing ??= gateway.close(graceMs))
  onTestFinished(async () => {
    const closed = close(0)
    options.clock?.advance(0)
    await closed
    await upstream.close()
  })
  return { port: listening.value[0]?.port ?? 0, upstream, dataPlane, faults, targetChanges, gateway, close }
}

/** Lines of a head and the blank line after them. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

export const key = 'X-Api-Key: good'
