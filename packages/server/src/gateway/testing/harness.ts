import { onTestFinished } from 'vitest'

import { type FixedClock, systemClock } from '../../base/clock.ts'
import { createIds } from '../../base/ids.ts'
import { systemRandom } from '../../base/random.ts'
import type { ConnectionTable } from '../../core/connections/table.ts'
import { createGateway } from '../gateway.ts'
import type { Targets } from '../upstream/target.ts'
import type { WireLimits } from '../wire-limits.ts'
import { type FakeDataPlane, type FakeOptions, fakeDataPlane } from './fake-data-plane.ts'
import { type RawUpstream, type Reply, rawUpstream } from './raw-upstream.ts'

export interface Harness {
  readonly port: number
  readonly upstream: RawUpstream
  readonly dataPlane: FakeDataPlane
  readonly faults: string[]
  readonly close: (graceMs: number) => Promise<void>
}

/** A gateway in front of a raw upstream; both end with the test. */
export async function gatewayTo(
  reply?: Reply,
  options: FakeOptions & {
    readonly wire?: Partial<WireLimits>
    readonly clock?: FixedClock
    readonly upstreamPort?: number
    readonly connections?: Pick<ConnectionTable, 'find'>
    readonly targets?: Targets
  } = {},
): Promise<Harness> {
  const upstream = await rawUpstream(reply)
  const dataPlane = fakeDataPlane(options.upstreamPort ?? upstream.port, options)
  const faults: string[] = []
  const clock = options.clock ?? systemClock
  const gateway = createGateway({
    dataPlane,
    clock,
    ids: createIds(systemClock, systemRandom),
    reportFault: (event) => void faults.push(event),
    ...(options.connections && { connections: options.connections }),
    ...(options.wire && { limits: options.wire }),
    ...(options.targets && { targets: options.targets }),
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
  return { port: listening.value[0]?.port ?? 0, upstream, dataPlane, faults, close }
}

/** Lines of a head and the blank line after them. */
export function head(...lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`
}

export const key = 'X-Api-Key: good'
