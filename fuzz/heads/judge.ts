import { type Line, valuesOf } from '../strict/fields.ts'
import { type RequestsRead, type StrictRequest, readRequests } from '../strict/request.ts'
import { type StrictResponse, readResponse } from '../strict/response.ts'
import type { Observation } from './observe.ts'

/** What the upstream has to be told by the gateway alone. */
export interface Expected {
  /** Value of each such header, by its name in lower case. Each has to be there exactly once. */
  readonly identity: ReadonlyMap<string, string>
}

/** Which promise was broken, and how. */
export interface Fault {
  readonly rule: string
  readonly detail: string
}

export interface Verdict {
  readonly fault: Fault | null
  /** How many requests were forwarded whole. */
  readonly forwarded: number
  /** Statuses of the gateway's own answers. */
  readonly refused: readonly number[]
}

/** Compares what came out of the gateway, on both sides, with the strict reading of what was sent to it. */
export function judge(observation: Observation, expected: Expected): Verdict {
  const sent = readRequests(observation.sent)
  const answers = answersTo(observation, sent)
  const fault = observation.hung === null ? null : { rule: 'no hang', detail: `waited for ${observation.hung} in vain` }
  return {
    fault:
      fault ??
      answers.fault ??
      eachItsOwn(answers.list, sent, observation) ??
      nothingBesides(observation, sent) ??
      firstFault(observation.whole, (request) => onlyOurs(request, expected)),
    forwarded: observation.whole.length,
    refused: answers.list.filter((answer) => echoOf(answer) === null).map(({ status }) => status),
  }
}

/** What the client reads: answers in HTTP, at most one more than it asked, and none behind one that says close. */
function answersTo(
  { received, closed }: Observation,
  { requests, rest }: RequestsRead,
): { readonly list: readonly StrictResponse[]; readonly fault: Fault | null } {
  const list: StrictResponse[] = []
  const stop = (detail: string): { list: StrictResponse[]; fault: Fault } => ({
    list,
    fault: { rule: 'answers are whole and one for each request', detail },
  })
  for (let at = 0; at < received.length;) {
    const asked = requests[list.length] ?? (rest.kind === 'nothing' ? null : (rest.begun ?? unread))
    if (asked === null || list.length > requests.length) return stop(`one more: ${received.slice(at, at + 200)}`)
    const answer = readAnswer(received, at, asked.method)
    // Told to go on, and then it did not.
    if (answer.kind === 'incomplete' && rest.kind !== 'nothing' && received.slice(at) === goOn) break
    if (answer.kind !== 'read') return stop(`${answer.kind}: ${received.slice(at, at + 200)}`)
    at = answer.end
    list.push(answer.value)
    if (!valuesOf(answer.value.lines, 'connection').includes('close')) continue
    if (at < received.length) return stop('more behind an answer that ends its connection')
    if (rest.kind === 'malformed' && !closed) return stop('an answer that says close, and the connection stays open')
  }
  return { list, fault: null }
}

const goOn = 'HTTP/1.1 100 Continue\r\n\r\n'

/**
 * An answer to a head that could not be read, or not to its end, is written before the method is known: whether it has
 * a body is then for the end of the connection to say.
 */
function readAnswer(text: string, at: number, method: string): ReturnType<typeof readResponse> {
  const answer = readResponse(text, at, method, false)
  if (method !== unread.method && method !== 'HEAD') return answer
  const other = readResponse(text, at, method === 'HEAD' ? 'GET' : 'HEAD', false)
  return other.kind === 'read' && other.end === text.length ? other : answer
}

const unread: StrictRequest = { method: '', target: '', minorVersion: 1, lines: [], body: '', trailers: [] }

/** Every request that the upstream saw is one that was sent, and its answer went to whoever sent it. */
function eachItsOwn(answers: readonly StrictResponse[], sent: RequestsRead, { whole }: Observation): Fault | null {
  let next = 0
  for (const [i, answer] of answers.entries()) {
    const echo = echoOf(answer)
    const asked = sent.requests[i]
    if (echo === null) {
      const fine = answer.status >= 400 && answer.status < 500
      if (!fine) return { rule: 'what is not forwarded is refused', detail: `answered ${answer.status}` }
      continue
    }
    const seen = whole[echo]
    if (seen === undefined || echo !== next)
      return { rule: 'answers keep their order', detail: `answer ${i} is of ${echo}` }
    next++
    if (asked === undefined) return { rule: 'nothing is forwarded that cannot be read', detail: shown(seen) }
    const difference = differs(asked, seen)
    if (difference !== null) return { rule: 'forwarded as sent', detail: difference }
  }
  const unasked = whole[next]
  return unasked === undefined
    ? null
    : { rule: 'one request is one request', detail: `nobody asked for ${shown(unasked)}` }
}

/** What reached the upstream beyond whole requests: at most the beginning of the one that was not sent whole. */
function nothingBesides({ connections }: Observation, sent: RequestsRead): Fault | null {
  const begun = sent.rest.kind === 'nothing' ? null : sent.rest.begun
  for (const { bytes, left } of connections) {
    const { rest } = readRequests(bytes)
    if (rest.kind === 'nothing') continue
    if (rest.kind === 'malformed')
      return { rule: 'what is forwarded is HTTP', detail: `${rest.why}: ${bytes.slice(0, 2_000)}` }
    if (!left) return { rule: 'half a request is given up', detail: bytes.slice(0, 2_000) }
    const half = rest.begun
    if (half === null) return { rule: 'half a request is given up', detail: bytes.slice(0, 2_000) }
    // One that was refused while its body came may be whole on the client's side.
    const of = [...sent.requests, ...(begun === null ? [] : [begun])]
    const same = of.some(
      (one) => one.method === half.method && one.target === half.target && one.body.startsWith(half.body),
    )
    if (!same) return { rule: 'forwarded as sent', detail: `the beginning of ${shown(half)}` }
  }
  return null
}

function differs(asked: StrictRequest, seen: StrictRequest): string | null {
  if (asked.method !== seen.method) return `method ${asked.method} as ${seen.method}`
  if (asked.target !== seen.target) return `target ${asked.target} as ${seen.target}`
  if (asked.body !== seen.body) return `body ${JSON.stringify(asked.body)} as ${JSON.stringify(seen.body)}`
  const unknown = seen.lines.find((line) => !gatewayMaySay(line) && !has(asked.lines, line))
  if (unknown !== undefined) return `nobody sent the line ${unknown.join(': ')}`
  const trailer = seen.trailers.find((line) => !has(asked.trailers, line))
  return trailer === undefined ? null : `nobody sent the trailer ${trailer.join(': ')}`
}

function has(lines: readonly Line[], [name, value]: Line): boolean {
  return lines.some(([known, said]) => known.toLowerCase() === name.toLowerCase() && said === value)
}

/** Lines that the gateway sets itself; what they say is checked by `onlyOurs` or by the strict reading. */
function gatewayMaySay([name]: Line): boolean {
  return /^(host|connection|content-length|transfer-encoding|trailer|x-request-id|x-(postern|forwarded)-.*)$/i.test(
    name,
  )
}

/** Nothing that a client said about itself, nothing of one connection only, and not the credential. */
function onlyOurs(request: StrictRequest, { identity }: Expected): Fault | null {
  const fault = (detail: string): Fault => ({
    rule: 'only the gateway says who it is',
    detail: `${detail}: ${shown(request)}`,
  })
  const said = new Map<string, string[]>()
  for (const [name, value] of [...request.lines, ...request.trailers]) {
    const normal = name.toLowerCase().replaceAll(/[_.]/g, '-')
    said.set(normal, [...(said.get(normal) ?? []), value])
  }
  for (const [name, value] of identity) {
    const values = said.get(name) ?? []
    if (values.length !== 1 || values[0] !== value) return fault(`${name} is ${JSON.stringify(values)}`)
  }
  for (const [name, values] of said) {
    if (identity.has(name)) continue
    const once =
      name === 'x-postern-request' || name === 'x-request-id' || name === 'x-forwarded-host' || name === 'host'
    if (once && values.length !== 1) return fault(`${name} ${values.length} times`)
    if (once) continue
    if (neverForwarded.test(name)) return fault(`the line ${name}`)
    if (name === 'connection' && values.some((value) => !/^(keep-alive|close|upgrade)$/i.test(value)))
      return fault(`Connection: ${values.join(', ')}`)
  }
  return null
}

const neverForwarded =
  /^(x-postern.*|x-forwarded.*|forwarded|forwarded-for|x-(real|client|cluster-client)-ip|true-client-ip|x-original-(url|uri|method|host)|x-rewrite-ur[li]|x-http-method(-override)?|x-method-override|x-envoy-.*|proxy|proxy-(connection|authenticate|authorization|authentication-info)|te|keep-alive|expect|http2-settings|authorization|x-api-key)$/

function firstFault(requests: readonly StrictRequest[], look: (request: StrictRequest) => Fault | null): Fault | null {
  for (const request of requests) {
    const fault = look(request)
    if (fault !== null) return fault
  }
  return null
}

function echoOf({ lines }: StrictResponse): number | null {
  const [echo] = valuesOf(lines, 'x-echo')
  return echo === undefined ? null : Number(echo)
}

function shown({ method, target, lines, body }: StrictRequest): string {
  return JSON.stringify({ method, target, lines: lines.map((line) => line.join(': ')), body: body.slice(0, 500) })
}
