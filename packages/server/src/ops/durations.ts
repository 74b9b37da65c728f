/**
 * How long something took that happens with each request. Telling it is an addition; the text that Prometheus reads
 * (a histogram in its text format) is made when it asks.
 */
export class Durations {
  readonly #name: string
  readonly #help: string
  readonly #edges: readonly number[]
  /** Of each bucket alone; the last one is of everything above. */
  readonly #counts: number[]
  #sum = 0

  /** `edges`: upper ones, in seconds, ascending. */
  constructor(name: string, help: string, edges: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#edges = edges
    this.#counts = Array.from({ length: edges.length + 1 }, () => 0)
  }

  tell(seconds: number): void {
    let bucket = 0
    while (bucket < this.#edges.length && seconds > (this.#edges[bucket] ?? 0)) bucket++
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#sum += seconds
  }

  text(): string {
    const name = this.#name
    let count = 0
    const buckets = this.#counts.map((own, bucket) => {
      count += own
      return `${name}_bucket{le="${this.#edges[bucket] ?? '+Inf'}"} ${count}\n`
    })
    return `# HELP ${name} ${this.#help}\n# TYPE ${name} histogram\n${buckets.join('')}${name}_sum ${this.#sum}\n${name}_count ${count}\n`
  }
}
