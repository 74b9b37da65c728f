/**
 * How long something took that happens with each request, in buckets. Telling it is an addition; the text that
 * Prometheus reads (a histogram in its text format) is made when it asks.
 */
export class Durations {
  readonly #edges: readonly number[]
  /** Of each bucket alone; the last one is of everything above. */
  readonly #counts: number[]
  #sum = 0

  /** `edges`: upper ones, in seconds, ascending. */
  constructor(edges: readonly number[]) {
    this.#edges = edges
    this.#counts = Array.from({ length: edges.length + 1 }, () => 0)
  }

  tell(seconds: number): void {
    let bucket = 0
    while (bucket < this.#edges.length && seconds > (this.#edges[bucket] ?? 0)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += seconds
  }

  /** Its lines under that name; '' where nothing was told. `labels`: `api="shop",route="getOrder"`. */
  lines(name: string, labels: string): string {
    let count = 0
    const buckets = this.#counts.map((own, bucket) => {
      count += own
      return `${name}_bucket{${labels},le="${this.#edges[bucket] ?? '+Inf'}"} ${count}\n`
    })
    return count === 0
      ? ''
      : `${buckets.join('')}${name}_sum{${labels}} ${this.#sum}\n${name}_count{${labels}} ${count}\n`
  }
}
