import type { Evaluation } from '../core/decision/evaluation.ts'
import type { MeterEntry } from '../core/usage/meter-entry.ts'
import { outcomeOf } from '../core/usage/outcomes.ts'
import { Durations } from './durations.ts'
import { Exemplars, type ExemplarsView } from './exemplars.ts'

const requestEdges = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const decisionEdges = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 2.5]

export interface RouteExemplars extends ExemplarsView {
  readonly api: string
  readonly route: string
}

/** Pairs of API and route that have series of their own; those beyond are told as route "*" of their API. */
const pairsMaxDefault = 500

/** One API and route: what was told of it since the start. */
interface Pair {
  readonly api: string
  readonly route: string
  readonly labels: string
  /** What was passed on, from its arrival to the last byte of the answer. */
  readonly requests: Durations
  /** From the decision to the head of the upstream's answer. */
  readonly upstream: Durations
  readonly decisions: Durations
  readonly outcomes: Map<string, number>
  readonly exemplars: Exemplars
}

/** Histograms and counts per API and route. A pair is found by the route's number, so that telling makes no text. */
export class RouteMetrics {
  readonly #pairsMax: number
  readonly #pairs: Pair[] = []
  readonly #byRoute: (Pair | undefined)[] = []
  /** Of requests without a route, and of routes beyond the bound; by API, then "" or "*". */
  readonly #others = new Map<string, Map<string, Pair>>()

  constructor(pairsMax = pairsMaxDefault) {
    this.#pairsMax = pairsMax
  }

  decided(evaluation: Evaluation, ms: number): void {
    this.#pairOf(evaluation).decisions.tell(ms / 1000)
  }

  ended(entry: MeterEntry): void {
    const pair = this.#pairOf(entry.evaluation)
    const outcome = entry.evaluation.refusal === null ? outcomeOf(entry) : 'refused'
    pair.outcomes.set(outcome, (pair.outcomes.get(outcome) ?? 0) + 1)
    pair.exemplars.tell(entry)
    if (entry.evaluation.allowed) pair.requests.tell(entry.latencyMs / 1000)
    if (entry.upstreamMs !== null) pair.upstream.tell(entry.upstreamMs / 1000)
  }

  /** Requests to look at, of each API and route that has any. */
  exemplars(now: number): readonly RouteExemplars[] {
    return this.#pairs
      .map(({ api, route, exemplars }) => ({ api, route, ...exemplars.view(now) }))
      .filter(({ slowest, failed }) => slowest.length + failed.length > 0)
  }

  /** In Prometheus's text format. */
  text(): string {
    return [
      this.#histogram(
        'postern_request_seconds',
        'Requests that were passed on, from the arrival of the head to the last byte of the answer; route "*": beyond the bound of series.',
        ({ requests }) => requests,
      ),
      this.#histogram(
        'postern_upstream_seconds',
        'From the decision to the head of the answer of the upstream.',
        ({ upstream }) => upstream,
      ),
      this.#histogram(
        'postern_decision_seconds',
        'From the arrival of a head to its decision, waits for the store included.',
        ({ decisions }) => decisions,
      ),
      '# HELP postern_route_requests_total Requests that have ended, by API, route and outcome: refused, 1xx to 5xx, upstream_error, client_gone.\n',
      '# TYPE postern_route_requests_total counter\n',
      ...this.#pairs.flatMap(({ labels, outcomes }) =>
        [...outcomes].map(
          ([outcome, count]) => `postern_route_requests_total{${labels},outcome="${outcome}"} ${count}\n`,
        ),
      ),
    ].join('')
  }

  #histogram(name: string, help: string, of: (pair: Pair) => Durations): string {
    const lines = this.#pairs.map((pair) => of(pair).lines(name, pair.labels))
    return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join('')}`
  }

  #pairOf({ api, route }: Evaluation): Pair {
    const known = route === null ? undefined : this.#byRoute[route.index]
    if (known !== undefined) return known
    const id = api?.id ?? ''
    if (route === null) return this.#other(id, '')
    const pair = this.#pairs.length < this.#pairsMax ? this.#added(id, route.id) : this.#other(id, '*')
    this.#byRoute[route.index] = pair
    return pair
  }

  #other(api: string, route: '' | '*'): Pair {
    const ofApi = this.#others.get(api) ?? new Map<string, Pair>()
    this.#others.set(api, ofApi)
    const pair = ofApi.get(route) ?? this.#added(api, route)
    ofApi.set(route, pair)
    return pair
  }

  #added(api: string, route: string): Pair {
    const pair = {
      api,
      route,
      labels: `api="${escaped(api)}",route="${escaped(route)}"`,
      requests: new Durations(requestEdges),
      upstream: new Durations(requestEdges),
      decisions: new Durations(decisionEdges),
      outcomes: new Map<string, number>(),
      exemplars: new Exemplars(),
    }
    this.#pairs.push(pair)
    return pair
  }
}

/** Of a label's value. An OpenAPI document may name its operations as it likes. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
