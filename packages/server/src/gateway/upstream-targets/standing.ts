import type { HealthRule, PassiveRule } from '../../core/apis/upstream.ts'

/** `down`: its checks fail. `failing`: it failed requests, and others are preferred for a while. */
export type State = 'up' | 'down' | 'failing'

/** What has just changed. `recovered`: the first answer since it was failing. */
export type Change = 'failing' | 'recovered' | 'down' | 'up'

/** What is known of one target, by what it did to requests and by its checks. Instants are monotonic ms. */
export class Standing {
  #failures = 0
  #firstFailureAt = 0
  #leftOutUntil = -Infinity
  /** It was failing, and has given no answer since. */
  #onProbation = false
  #isDown = false
  /** Checks in a row that speak against its state. */
  #contrary = 0

  /** Whether requests should go there. */
  isUp(now: number): boolean {
    return !this.#isDown && now >= this.#leftOutUntil
  }

  state(now: number): State {
    if (this.#isDown) return 'down'
    return now < this.#leftOutUntil ? 'failing' : 'up'
  }

  /** A request was answered. */
  succeeded(): Change | null {
    this.#failures = 0
    if (!this.#onProbation) return null
    this.#onProbation = false
    this.#leftOutUntil = -Infinity
    return 'recovered'
  }

  /** A request failed there. Null too where it is left out already: others had been sent before it was. */
  failed(rule: PassiveRule, now: number): Change | null {
    if (now < this.#leftOutUntil) return null
    if (this.#failures === 0 || now - this.#firstFailureAt > rule.windowMs) {
      this.#failures = 0
      this.#firstFailureAt = now
    }
    this.#failures++
    if (!this.#onProbation && this.#failures < rule.failures) return null
    this.#failures = 0
    this.#onProbation = true
    this.#leftOutUntil = now + rule.ejectMs
    return 'failing'
  }

  /** A check has been answered, or not. Whatever is found well again is so for requests, too. */
  checked(rule: HealthRule, healthy: boolean): Change | null {
    if (healthy !== this.#isDown) {
      this.#contrary = 0
      return null
    }
    this.#contrary++
    if (this.#contrary < (healthy ? rule.healthyAfter : rule.unhealthyAfter)) return null
    this.#contrary = 0
    this.#isDown = !healthy
    if (healthy) this.succeeded()
    return healthy ? 'up' : 'down'
  }

  /** It is asked no more. */
  unchecked(): void {
    this.#isDown = false
    this.#contrary = 0
  }
}
