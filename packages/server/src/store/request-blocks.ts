import { idTime } from '../base/ids.ts'
import type { RequestFilter, RequestModel, RequestRow, Via } from '../core/usage/usage.ts'

/**
 * Requests of one second as one text. A row of its own for each request, with an index entry for each question, costs
 * more than all else that is done for the request; a block costs little more than its JSON.
 */
export interface RequestBlock {
  /** Epoch seconds, of the time inside the ids. */
  readonly second: number
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
/** The last three where a token of ours was presented; blocks of before there were tokens have none of them. */
type Who = readonly [
  account: Text,
  project: Text,
  credential: Text,
  secret: Text,
  token?: Text,
  grant?: Text,
  label?: Text,
]
/** Blocks of before `via` was kept have none. */
type What = readonly [api: Text, route: Text, method: string, status: number, code: Text, outcome: string, via?: Via]
type From = readonly [ip: string, country: string, userAgent: Text]

/** Columns; `who`, `what` and `from` point into the lists of the head. */
interface Body {
  readonly id: string[]
  readonly at: number[]
  readonly path: string[]
  readonly latencyMs: number[]
  readonly who: number[]
  readonly what: number[]
  readonly from: number[]
  /** Only refusals have one: row and trace. */
  readonly traces: (readonly [number, string])[]
  /** Of requests to language models: row and what it took. */
  readonly models?: (readonly [number, RequestModel])[]
}

export const secondOf = (id: string): number => Math.floor(idTime(id) / 1000)

export function packRequests(requests: readonly RequestRow[]): readonly RequestBlock[] {
  const open = new Map<number, Builder>()
  const blocks: RequestBlock[] = []
  for (const request of requests) {
    const second = secondOf(request.id)
    let builder = open.get(second)
    if (builder === undefined) open.set(second, (builder = createBuilder(second)))
    if (builder.add(request) === blockMax) {
      blocks.push(builder.block())
      open.delete(second)
    }
  }
  for (const builder of open.values()) blocks.push(builder.block())
  return blocks
}

interface Builder {
  /** Answers how many are in it. */
  add(request: RequestRow): number
  block(): RequestBlock
}

function createBuilder(second: number): Builder {
  const who = createList(
    ({ secret, token }) => secret ?? token,
    (a, b) =>
      a.credential === b.credential && a.account === b.account && a.project === b.project && a.grant === b.grant,
    ({ account, project, credential, secret, token, grant, label }): Who =>
      token === null && grant === null
        ? [account, project, credential, secret]
        : [account, project, credential, secret, token, grant, label],
  )
  const what = createList(
    ({ route }) => route,
    (a, b) =>
      a.status === b.status &&
      a.outcome === b.outcome &&
      a.code === b.code &&
      a.method === b.method &&
      a.api === b.api &&
      a.via === b.via,
    ({ api, route, method, status, code, outcome, via }): What =>
      via === null ? [api, route, method, status, code, outcome] : [api, route, method, status, code, outcome, via],
  )
  const from = createList(
    ({ ip }) => ip,
    (a, b) => a.userAgent === b.userAgent && a.country === b.country,
    ({ ip, country, userAgent }): From => [ip, country, userAgent],
  )
  const body: Body = { id: [], at: [], path: [], latencyMs: [], who: [], what: [], from: [], traces: [] }
  const models: (readonly [number, RequestModel])[] = []
  const refusals = new Map<number, readonly [number, number]>()
  return {
    add: (request) => {
      const whoIndex = who.indexOf(request)
      const whatIndex = what.indexOf(request)
      if (request.code !== null) refusals.set(whoIndex * 65_536 + whatIndex, [whoIndex, whatIndex])
      if (request.llm !== undefined) models.push([body.id.length, request.llm])
      if (request.trace !== null) body.traces.push([body.id.length, request.trace])
      body.at.push(request.at)
      body.path.push(request.path)
      body.latencyMs.push(request.latencyMs)
      body.who.push(whoIndex)
      body.what.push(whatIndex)
      body.from.push(from.indexOf(request))
      return body.id.push(request.id)
    },
    block: () => {
      const head: Head = { who: who.items, what: what.items, from: from.items, refusals: [...refusals.values()] }
      return {
        second,
        rows: `${JSON.stringify(head)}\n${JSON.stringify(models.length === 0 ? body : { ...body, models })}`,
      }
    },
  }
}

interface List<Item> {
  readonly items: readonly Item[]
  indexOf(request: RequestRow): number
}

/** Found by one field, and among the few that have it in common by comparison. */
function createList<Item>(
  key: (request: RequestRow) => string | null,
  same: (a: RequestRow, b: RequestRow) => boolean,
  pick: (request: RequestRow) => Item,
): List<Item> {
  const items: Item[] = []
  const byKey = new Map<string | null, { readonly first: RequestRow; readonly index: number }[]>()
  return {
    items,
    indexOf: (request) => {
      let known = byKey.get(key(request))
      if (known === undefined) byKey.set(key(request), (known = []))
      for (const { first, index } of known) if (same(first, request)) return index
      const index = items.push(pick(request)) - 1
      known.push({ first: request, index })
      return index
    },
  }
}

// ---- finding -------------------------------------------------------------------------------------------

/** The term that all requests of a filter have, the rarest of them; null: only time is asked for. */
export function termOf({
  account,
  project,
  credential,
  token,
  grant,
  api,
  code,
  status,
}: RequestFilter): string | null {
  if (token !== null) return `token ${token}`
  if (grant !== null) return `grant ${grant}`
  if (credential !== null) return code === null ? `credential ${credential}` : `credential ${credential} ${code}`
  if (account !== null && code !== null) return `account ${account} ${code}`
  if (project !== null) return `project ${project}`
  if (account !== null) return `account ${account}`
  if (code !== null) return `code ${code}`
  if (status !== null) return `status ${status}`
  return api === null ? null : `api ${api}`
}

/** By what the requests of a block can be found, each once. */
export function termsOf(rows: string): readonly string[] {
  const { who, what, refusals } = headOf(rows)
  const terms = new Set<string>()
  for (const [account, project, credential, , token = null, grant = null] of who) {
    if (token !== null) terms.add(`token ${token}`)
    if (grant !== null) terms.add(`grant ${grant}`)
    if (account !== null) terms.add(`account ${account}`)
    if (project !== null) terms.add(`project ${project}`)
    if (credential !== null) terms.add(`credential ${credential}`)
  }
  for (const [api, , , status, code] of what) {
    if (api !== null) terms.add(`api ${api}`)
    if (code !== null) terms.add(`code ${code}`)
    terms.add(`status ${status}`)
  }
  // Refusals are few, and a rare code of one account would else be looked for among all its requests.
  for (const [whoIndex, whatIndex] of refusals) {
    const [account, , credential] = at(who, whoIndex)
    const [, , , , code] = at(what, whatIndex)
    if (account !== null) terms.add(`account ${account} ${code}`)
    if (credential !== null) terms.add(`credential ${credential} ${code}`)
  }
  return [...terms]
}

/** The requests of a block that the filter finds, in any order. Only these become objects. */
export function matchingRequests(
  rows: string,
  filter: RequestFilter,
  idMatches: (id: string) => boolean,
): readonly RequestRow[] {
  const head = headOf(rows)
  const { account, project, credential, token, grant, label, api, code, status } = filter
  const who = head.who.map(
    ([itsAccount, itsProject, itsCredential, , itsToken = null, itsGrant = null, itsLabel = null]) =>
      (account ?? itsAccount) === itsAccount &&
      (project ?? itsProject) === itsProject &&
      (credential ?? itsCredential) === itsCredential &&
      (token ?? itsToken) === itsToken &&
      (grant ?? itsGrant) === itsGrant &&
      (label ?? itsLabel) === itsLabel,
  )
  const what = head.what.map(
    ([itsApi, , , itsStatus, itsCode]) =>
      (api ?? itsApi) === itsApi && (code ?? itsCode) === itsCode && (status ?? itsStatus) === itsStatus,
  )
  if (!who.includes(true) || !what.includes(true)) return []
  const body = bodyOf(rows)
  const traces = new Map(body.traces)
  const models = new Map(body.models)
  return body.id.flatMap((id, index) => {
    const asked = who[at(body.who, index)] === true && what[at(body.what, index)] === true
    return asked && idMatches(id) ? [requestAt(head, body, index, traces.get(index) ?? null, models.get(index))] : []
  })
}

function requestAt(
  head: Head,
  body: Body,
  index: number,
  trace: string | null,
  llm: RequestModel | undefined,
): RequestRow {
  const [account, project, credential, secret, token = null, grant = null, label = null] = at(
    head.who,
    at(body.who, index),
  )
  const [api, route, method, status, code, outcome, via = null] = at(head.what, at(body.what, index))
  const [ip, country, userAgent] = at(head.from, at(body.from, index))
  return {
    id: at(body.id, index),
    at: at(body.at, index),
    via,
    api,
    route,
    method,
    path: at(body.path, index),
    status,
    code,
    outcome,
    account,
    project,
    credential,
    secret,
    token,
    grant,
    label,
    ip,
    country,
    userAgent,
    latencyMs: at(body.latencyMs, index),
    trace,
    ...(llm !== undefined && { llm }),
  }
}

function at<Item>(list: readonly Item[], index: number): Item {
  const item = list[index]
  if (item === undefined) throw new Error('a block of requests points outside itself')
  return item
}

function headOf(rows: string): Head {
  // JSON that this module wrote itself, so its type is trusted.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return JSON.parse(rows.slice(0, rows.indexOf('\n'))) as Head
}

function bodyOf(rows: string): Body {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(rows.slice(rows.indexOf('\n') + 1)) as Body
}
