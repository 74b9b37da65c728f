import type { Clock, Timer } from '../../base/clock.ts'
import { type HealthRule, inStatusRanges, type Target } from '../../core/apis/upstream.ts'
import type { Attempt, RequestConnection } from '../upstream/attempt.ts'
import { UpstreamFault } from '../upstream/fault.ts'
import { ownFields, requestHead } from '../upstream/request-head.ts'
import type { ResponseHead } from '../upstream/response-head.ts'
import type { Upstreams } from '../upstream/upstreams.ts'

/** Hears once how a target is, and in words why it is thought so. */
export type ProbeResult = (healthy: boolean, why: string) => void

const fields = ownFields(['User-Agent', 'Postern-Health', 'Accept', '*/*', 'Connection', 'close'])

/** One question to a target, over a connection of its own and without any credential: is it well? */
export class Probe implements Attempt {
  readonly method = 'GET'
  readonly upgrades = false
  readonly #client: Upstreams
  readonly #target: Target
  readonly #rule: HealthRule
  readonly #timer: Timer
  readonly #result: ProbeResult
  #connection: RequestConnection | null = null
  #over = false

  constructor(client: Upstreams, clock: Clock, target: Target, rule: HealthRule, result: ProbeResult) {
    this.#client = client
    this.#target = target
    this.#rule = rule
    this.#result = result
    this.#timer = clock.after(rule.timeoutMs, () => this.#end(false, 'its check was not answered in time'))
  }

  start(): void {
    this.#client.acquire(this.#target, this, true)
  }

  /** Gives it up; nothing is told any more. */
  stop(): void {
    if (this.#over) return
    this.#over = true
    this.#timer.stop()
    if (this.#connection === null) this.#client.cancel(this.#target, this)
    else this.#connection.destroy()
  }

  connected(connection: RequestConnection): void {
    this.#connection = connection
    connection.writeText(requestHead(this.method, this.#rule.path, this.#target.authority, fields, null))
    connection.requestSent()
  }

  answered({ status }: ResponseHead): void {
    this.#judge(status)
  }

  /** The status is all that is asked for: the rest is not read. */
  answerStart({ status }: ResponseHead): void {
    this.#judge(status)
  }

  failed(fault: UpstreamFault): void {
    this.#connection = null
    this.#end(false, fault.why)
  }

  interim(): void {}

  answerData(): boolean {
    return true
  }

  answerEnd(): void {}

  drained(): void {}

  switched(): void {
    throw new Error('nothing was asked for but HTTP/1.1')
  }

  #judge(status: number): void {
    const healthy = inStatusRanges(this.#rule.expect, status)
    this.#end(healthy, `its check was answered ${status}`)
  }

  #end(healthy: boolean, why: string): void {
    if (this.#over) return
    this.stop()
    this.#result(healthy, why)
  }
}
