import type { Clock, Timer } from '../base/clock.ts'
import type { CheckpointWriter } from './audit/checkpoint-file.ts'
import type { ConnectionTable } from './connections/table.ts'
import type { Limiter } from './limits/limiter.ts'
import { periodStart, quotaPeriods } from './limits/period.ts'
import type { RecordTable } from './records/table.ts'
import type { Retention, Store } from './store.ts'
import type { UsageRecorder } from './usage/recorder.ts'

export interface HousekeepingParts {
  readonly store: Store
  readonly clock: Clock
  readonly limiter: Limiter
  readonly recorder: UsageRecorder
  readonly table: RecordTable
  readonly connections: Pick<ConnectionTable, 'takeUses'>
  readonly checkpoints: CheckpointWriter
  readonly retention: () => Retention
  /** Deletes the keys of windows that have ended. */
  readonly sweepKeys: (now: number) => void
  readonly reportFault: (event: string, error: unknown) => void
}

const secondMs = 1000
const minuteMs = 60_000
const dayMs = 86_400_000
const pruneStepsMax = 200

/** What has to happen now and then: flushes each second, checkpoints, closed windows, roll-ups and what has ended each minute. */
export class Housekeeping {
  readonly #parts: HousekeepingParts
  readonly #timers: Timer[] = []
  readonly #running = new Map<string, Promise<void>>()

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
  }

  /** Quotas of the current periods as the store knows them. */
  async loadQuotas(): Promise<void> {
    const { store, limiter, clock } = this.#parts
    const now = clock.now()
    limiter.seed(await store.quotas.load({ periods: quotaPeriods.map((period) => periodStart(period, now)) }))
  }

  start(): void {
    const { clock, store } = this.#parts
    this.#timers.push(
      clock.every(secondMs, () => void this.#once('usage.flush', () => this.#flushUsage())),
      clock.every(secondMs, () => void this.#once('quotas.flush', () => this.#flushQuotas())),
      clock.every(secondMs, () => void this.#once('store.space', () => this.#watchSpace())),
      clock.every(minuteMs, () => void this.#once('audit.checkpoint', () => this.checkpoint())),
      clock.every(minuteMs, () => void this.#once('windows.close', () => this.closeWindows())),
      clock.every(minuteMs, () => void this.#once('connections.uses', () => this.#noteConnections())),
      clock.every(minuteMs, () => void this.#once('usage.maintain', () => this.#maintain())),
      clock.every(minuteMs, () => void this.#once('tokens.prune', () => pruneEnded(store, clock.now()))),
    )
  }

  /** Nothing that was counted is lost by a clean stop. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.stop()
    await Promise.all(this.#running.values())
    await this.#once('usage.flush', () => this.#flushUsage())
    await this.#once('quotas.flush', () => this.#flushQuotas())
    await this.#once('connections.uses', () => this.#noteConnections())
    await this.#once('audit.checkpoint', () => this.checkpoint())
  }

  async checkpoint(): Promise<void> {
    const { store, checkpoints, clock } = this.#parts
    checkpoints.write(await store.events.head(), clock.now())
  }

  /** Sealed copies whose window is over leave the store, then their key leaves the disk. */
  async closeWindows(): Promise<void> {
    const { store, clock, sweepKeys } = this.#parts
    const now = clock.now()
    await store.credentials.closeWindows({ now })
    sweepKeys(now)
  }

  async #flushUsage(): Promise<void> {
    const { store, recorder, table, clock } = this.#parts
    const flush = recorder.take(clock.now())
    try {
      await store.usage.flush(flush)
    } catch (error) {
      recorder.giveBack(flush)
      throw error
    } finally {
      table.releaseFreed()
    }
  }

  #flushQuotas(): Promise<void> {
    const { store, limiter } = this.#parts
    return limiter.flush((deltas) => store.quotas.add({ deltas }))
  }

  async #noteConnections(): Promise<void> {
    const uses = this.#parts.connections.takeUses()
    if (uses.length > 0) await this.#parts.store.connections.noteUses({ uses })
  }

  async #watchSpace(): Promise<void> {
    await this.#parts.store.system.space()
  }

  async #maintain(): Promise<void> {
    const { store, clock, retention } = this.#parts
    const now = clock.now()
    await store.usage.maintain({ now, retention: retention() })
    await store.quotas.prune({ before: now - 800 * dayMs })
  }

  /** One at a time of each kind; a fault is reported and the next turn tries again. */
  #once(name: string, work: () => Promise<void>): Promise<void> {
    const running = this.#running.get(name)
    if (running !== undefined) return running
    const run = work()
      .catch((error: unknown) => this.#parts.reportFault(name, error))
      .finally(() => this.#running.delete(name))
    this.#running.set(name, run)
    return run
  }
}

/**
 * Tokens, sessions and links are kept for a day after they have ended, so that their holders can be told. In steps,
 * between which others write; what a minute leaves is for the next.
 */
export async function pruneEnded({ tokens, people }: Pick<Store, 'tokens' | 'people'>, now: number): Promise<void> {
  const before = now - dayMs
  for (let step = 0; step < pruneStepsMax && (await tokens.prune({ before })) > 0; step++);
  for (let step = 0; step < pruneStepsMax && (await people.prune({ before })) > 0; step++);
}
