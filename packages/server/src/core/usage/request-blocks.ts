import { idTime } from '../../base/ids.ts'
import { JsonColumn } from './json-column.ts'
import type { RequestModel, RequestRow } from './usage.ts'

/**
 * Requests of one second as one text. A row of its own for each request, with an index entry for each question, costs
 * more than all else that is done for the request; a block costs little more than its JSON.
 */
export interface RequestBlock {
  /** Epoch seconds, of the time inside the ids. */
  readonly second: number
  /** How many requests are in it. */
  readonly count: number
  /** JSON of `Head`, line feed, JSON of `Body`: most questions end with the head. */
  readonly rows: string
}

/** Requests at most in a block: who looks for one of them reads them all. */
const blockMax = 1_000

/** What its requests repeat, each once: who called, what was asked and answered, from where. */
interface Head {
  readonly who: readonly Who[]
  readonly what: readonly What[]
  readonly from: readonly From[]
  /** Indexes into `who` and `what` of the refusals among them. */
  readonly refusals: readonly (readonly [number, number])[]
}

type Text = string | null
type Who = readonly [account: Text, project: Text, credential: Text, secret: Text]
type What = readonly [api: Text, route: Text, method: string, status: number, code: Text, outcome: string]
type From = readonly [ip: string, country: string, userAgent: Text]

/** Columns; `who`, `what` and `from` point into the lists of the head. */
interface Body {
  readonly id: readonly string[]
  readonly at: readonly number[]
  readonly path: readonly string[]
  readonly latencyMs: readonly number[]
  readonly who: readonly number[]
  readonly what: readonly number[]
  readonly from: readonly number[]
  /** Only refusals have one: row and trace. */
  readonly traces: readonly (readonly [number, string])[]
  /** Of requests to language models: row and what it took. */
  readonly models?: readonly (readonly [number, RequestModel])[]
}

export const secondOf = (id: string): number => Math.floor(idTime(id) / 1000)

/** Packs requests as they end: none of them is held as an object. */
export class RequestPacker {
  readonly #open = new Map<number, Builder>()
  /** Whose blocks are closed; they write the next ones. */
  readonly #free: Builder[] = []
  #closed: RequestBlock[] = []
  #last: Builder | null = null
  #size = 0

  /** Requests since the last `take`. */
  get size(): number {
    return this.#size
  }

  add(request: RequestRow): void {
    const second = secondOf(request.id)
    const builder = this.#last?.second === second ? this.#last : this.#builderOf(second)
    this.#last = builder
    this.#size++
    builder.add(request)
    if (builder.count === blockMax) this.#close(builder)
  }

  /** What was added since the last call. */
  take(): readonly RequestBlock[] {
    for (const builder of this.#open.values()) this.#close(builder)
    const taken = this.#closed
    this.#closed = []
    this.#size = 0
    return taken
  }

  #builderOf(second: number): Builder {
    const known = this.#open.get(second)
    if (known !== undefined) return known
    const builder = this.#free.pop() ?? new Builder()
    builder.begin(second)
    this.#open.set(second, builder)
    return builder
  }

  #close(builder: Builder): void {
    this.#open.delete(builder.second)
    this.#closed.push(builder.take())
    this.#last = null
    if (this.#free.length < freeMax) this.#free.push(builder)
  }
}

/** Seconds of which requests end at the same time, mostly. */
const freeMax = 4

export function packRequests(requests: readonly RequestRow[]): readonly RequestBlock[] {
  const packer = new RequestPacker()
  for (const request of requests) packer.add(request)
  return packer.take()
}

/** Writes one block. */
class Builder {
  second = 0
  count = 0
  readonly #who = new RowList<Who>(
    ({ secret }) => secret,
    (a, b) => a.credential === b.credential && a.account === b.account && a.project === b.project,
    ({ account, project, credential, secret }) => [account, project, credential, secret],
  )
  readonly #what = new RowList<What>(
    ({ route }) => route,
    (a, b) =>
      a.status === b.status && a.outcome === b.outcome && a.code === b.code && a.method === b.method && a.api === b.api,
    ({ api, route, method, status, code, outcome }) => [api, route, method, status, code, outcome],
  )
  readonly #from = new RowList<From>(
    ({ ip }) => ip,
    (a, b) => a.userAgent === b.userAgent && a.country === b.country,
    ({ ip, country, userAgent }) => [ip, country, userAgent],
  )
  readonly #columns = {
    id: new JsonColumn(),
    at: new JsonColumn(),
    path: new JsonColumn(),
    latencyMs: new JsonColumn(),
    who: new JsonColumn(),
    what: new JsonColumn(),
    from: new JsonColumn(),
  }
  #refusals = new Map<number, readonly [number, number]>()
  #traces: (readonly [number, string])[] = []
  #models: (readonly [number, RequestModel])[] = []

  begin(second: number): void {
    this.second = second
  }

  add(request: RequestRow): void {
    const row = this.count++
    const who = this.#who.indexOf(request)
    const what = this.#what.indexOf(request)
    if (request.code !== null) this.#refusals.set(who * 65_536 + what, [who, what])
    if (request.trace !== null) this.#traces.push([row, request.trace])
    if (request.llm !== undefined) this.#models.push([row, request.llm])
    const columns = this.#columns
    columns.id.text(request.id)
    columns.at.integer(request.at)
    columns.path.text(request.path)
    columns.latencyMs.hundredths(request.latencyMs)
    columns.who.integer(who)
    columns.what.integer(what)
    columns.from.integer(this.#from.indexOf(request))
  }

  /** The block, and begins anew. */
  take(): RequestBlock {
    const head: Head = {
      who: this.#who.take(),
      what: this.#what.take(),
      from: this.#from.take(),
      refusals: [...this.#refusals.values()],
    }
    const block = { second: this.second, count: this.count, rows: `${JSON.stringify(head)}\n${this.#takeBody()}` }
    this.count = 0
    this.#refusals = new Map()
    this.#traces = []
    this.#models = []
    return block
  }

  #takeBody(): string {
    const { id, at, path, latencyMs, who, what, from } = this.#columns
    const models = this.#models.length === 0 ? '' : `,"models":${JSON.stringify(this.#models)}`
    return (
      `{"id":${id.take()},"at":${at.take()},"path":${path.take()},"latencyMs":${latencyMs.take()}` +
      `,"who":${who.take()},"what":${what.take()},"from":${from.take()},"traces":${JSON.stringify(this.#traces)}${models}}`
    )
  }
}

/** What rows repeat. Found by one field, and among the few that have it in common by comparison. */
class RowList<Item> {
  readonly #key: (row: RequestRow) => Text
  readonly #same: (a: RequestRow, b: RequestRow) => boolean
  readonly #pick: (row: RequestRow) => Item
  #items: Item[] = []
  #byKey = new Map<Text, Found[]>()
  /** Mostly the next one is of the same. */
  #last: Found | null = null

  constructor(
    key: (row: RequestRow) => Text,
    same: (a: RequestRow, b: RequestRow) => boolean,
    pick: (row: RequestRow) => Item,
  ) {
    this.#key = key
    this.#same = same
    this.#pick = pick
  }

  indexOf(row: RequestRow): number {
    const key = this.#key(row)
    const last = this.#last
    if (last !== null && last.key === key && this.#same(last.first, row)) return last.index
    const found = this.#find(key, row)
    this.#last = found
    return found.index
  }

  #find(key: Text, row: RequestRow): Found {
    let known = this.#byKey.get(key)
    if (known === undefined) this.#byKey.set(key, (known = []))
    for (const found of known) if (this.#same(found.first, row)) return found
    const made = { key, first: row, index: this.#items.push(this.#pick(row)) - 1 }
    known.push(made)
    return made
  }

  take(): readonly Item[] {
    const taken = this.#items
    this.#items = []
    this.#byKey = new Map()
    this.#last = null
    return taken
  }
}

interface Found {
  readonly key: Text
  readonly first: RequestRow
  readonly index: number
}

// ---- reading -------------------------------------------------------------------------------------------

/** The requests of a block, in the order in which they ended. */
export function unpackRequests(rows: string): readonly RequestRow[] {
  const head = headOf(rows)
  const body = bodyOf(rows)
  const rare = rareOf(body)
  return body.id.map((_, index) => requestAt(head, body, rare, index))
}

/** What few rows have, by row. */
export interface RareFields {
  readonly traces: ReadonlyMap<number, string>
  readonly models: ReadonlyMap<number, RequestModel>
}

export function rareOf({ traces, models }: Body): RareFields {
  return { traces: new Map(traces), models: new Map(models) }
}

export function requestAt(head: Head, body: Body, { traces, models }: RareFields, index: number): RequestRow {
  const llm = models.get(index)
  const [account, project, credential, secret] = itemAt(head.who, itemAt(body.who, index))
  const [api, route, method, status, code, outcome] = itemAt(head.what, itemAt(body.what, index))
  const [ip, country, userAgent] = itemAt(head.from, itemAt(body.from, index))
  return {
    id: itemAt(body.id, index),
    at: itemAt(body.at, index),
    api,
    route,
    method,
    path: itemAt(body.path, index),
    status,
    code,
    outcome,
    account,
    project,
    credential,
    secret,
    ip,
    country,
    userAgent,
    latencyMs: itemAt(body.latencyMs, index),
    trace: traces.get(index) ?? null,
    ...(llm !== undefined && { llm }),
  }
}

export function itemAt<Item>(list: readonly Item[], index: number): Item {
  const item = list[index]
  if (item === undefined) throw new Error('a block of requests points outside itself')
  return item
}

export function headOf(rows: string): Head {
  // JSON that this module wrote itself, so its type is trusted.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(rows.slice(0, rows.indexOf('\n'))) as Head
}

export function bodyOf(rows: string): Body {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(rows.slice(rows.indexOf('\n') + 1)) as Body
}
