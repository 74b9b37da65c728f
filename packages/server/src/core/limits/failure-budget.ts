import { ipBucket, type Ip } from '../../base/ip.ts'
import type { FailureBudgetRule } from '../apis/api.ts'
import { charged, gcraOf, waitMs } from './gcra.ts'
import { BoundedTats } from './tats.ts'

const peersMax = 200_000

/** Failed attempts per IPv4 address or IPv6 /64. Times are monotonic ms. */
export class FailureBudget {
  readonly #tats = new BoundedTats<Ip>(peersMax)

  /** Milliseconds until the peer may fail again; 0 where its budget is not spent. */
  waitMs(ip: Ip, now: number, rule: FailureBudgetRule): number {
    return Math.max(0, waitMs(this.#tats.get(ipBucket(ip)), now, 1, gcraOfRule(rule)))
  }

  charge(ip: Ip, now: number, rule: FailureBudgetRule): void {
    const peer = ipBucket(ip)
    const gcra = gcraOfRule(rule)
    const tat = this.#tats.get(peer)
    if (waitMs(tat, now, 1, gcra) <= 0) this.#tats.set(peer, charged(tat, now, 1, gcra))
  }
}

function gcraOfRule(rule: FailureBudgetRule) {
  return gcraOf({ requests: rule.attempts, windowMs: rule.windowMs, burst: rule.attempts })
}
