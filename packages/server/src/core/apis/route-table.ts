import { type Result, fail, ok } from '../../base/result.ts'
import type { Route, RouteMatch, RouteTable } from './api.ts'
import { canonicalPath, comparisonForm } from './path.ts'

/** Two routes that would match the same requests with the same rank. */
export interface RouteConflict {
  readonly first: Route
  readonly second: Route
  readonly method: string | null
}

export function createRouteTable(
  routes: readonly Route[],
  options: { readonly caseInsensitive: boolean },
): Result<RouteTable, RouteConflict> {
  const fold = options.caseInsensitive ? (path: string) => path.toLowerCase() : (path: string) => path
  const all = emptyNode()
  const raw = emptyNode()
  for (const route of routes) {
    const conflict = insert(all, route, fold)
    if (conflict !== null) return fail(conflict)
    if (route.rawPath) insert(raw, route, fold)
  }
  const match = (method: string, path: string) => find(all, method, fold(comparisonForm(path)))
  const matchRaw = (method: string, rawPath: string): RouteMatch | null => {
    const found = find(raw, method, fold(rawPath))
    if (found === null || !found.methodMatched) return found
    const prefix = fold(literalPrefix(found.route.pattern))
    const stays = (reading: string): boolean => {
      const resolved = resolveGenerously(reading)
      if (resolved === null || !fold(resolved).startsWith(prefix)) return false
      const other = match(method, resolved)
      return other?.methodMatched !== true || other.route === found.route
    }
    return generousReadings(rawPath)?.every(stays) === true ? found : null
  }
  return ok({ routes, match, matchRaw })
}

/** One segment of a pattern: text, `{x}`, or the tail. */
type Segment = { readonly literal: string } | 'parameter' | 'tail'

/**
 * Reads a pattern: literal segments, `{name}` for one whole segment, and a final `/**` for any number of them,
 * none included. The error is a sentence.
 */
export function parsePattern(pattern: string): Result<readonly Segment[], string> {
  if (!pattern.startsWith('/')) return fail('a path begins with "/"')
  const segments: Segment[] = []
  const texts = pattern.slice(1).split('/')
  if (texts.at(-1) === '') texts.pop()
  for (const [index, text] of texts.entries()) {
    const last = index === texts.length - 1
    const segment = parseSegment(text, last)
    if (!segment.ok) return segment
    segments.push(segment.value)
  }
  return ok(segments)
}

function parseSegment(text: string, last: boolean): Result<Segment, string> {
  if (text === '**') return last ? ok('tail') : fail('"**" can only stand at the end')
  if (/^\{[A-Za-z_][A-Za-z0-9_.-]*\}$/.test(text)) return ok('parameter')
  if (/[{}]/.test(text)) return fail(`"${text}" is not supported: a parameter is a whole segment, such as {id}`)
  if (text.includes('*'))
    return fail(`"${text}" is not supported: write {name} for one segment or end with /** for a tail`)
  const canonical = canonicalPath(`/${text}`)
  if (text === '' || !canonical.ok || canonical.query !== '') {
    return fail(`"${text}" can never be part of a canonical path`)
  }
  return ok({ literal: comparisonForm(canonical.path.slice(1)) })
}

/** Whether some path is matched by both patterns. */
export function patternsMeet(first: string, second: string, caseInsensitive: boolean): boolean {
  const [a, b] = [parsePattern(first), parsePattern(second)]
  return a.ok && b.ok && segmentsMeet(a.value, b.value, caseInsensitive)
}

function segmentsMeet(a: readonly Segment[], b: readonly Segment[], caseInsensitive: boolean): boolean {
  const [x, ...restA] = a
  const [y, ...restB] = b
  if (x === 'tail' || y === 'tail') return true
  if (x === undefined || y === undefined) return x === y
  const equal =
    x === 'parameter' ||
    y === 'parameter' ||
    x.literal === y.literal ||
    (caseInsensitive && x.literal.toLowerCase() === y.literal.toLowerCase())
  return equal && segmentsMeet(restA, restB, caseInsensitive)
}

interface Node {
  readonly literals: Map<string, Node>
  parameter: Node | null
  readonly end: Terminal
  readonly tail: Terminal
}

/** The routes of one pattern. */
interface Terminal {
  readonly byMethod: Map<string, RouteMatch>
  everyMethod: RouteMatch | null
}

function emptyNode(): Node {
  return { literals: new Map(), parameter: null, end: emptyTerminal(), tail: emptyTerminal() }
}

function emptyTerminal(): Terminal {
  return { byMethod: new Map(), everyMethod: null }
}

function insert(root: Node, route: Route, fold: (path: string) => string): RouteConflict | null {
  const segments = parsePattern(route.pattern)
  if (!segments.ok) throw new RangeError(`route ${route.id}: ${segments.error}`)
  let node = root
  for (const segment of segments.value) {
    if (segment === 'tail') return declare(node.tail, route)
    node = segment === 'parameter' ? (node.parameter ??= emptyNode()) : literalChild(node, fold(segment.literal))
  }
  return declare(node.end, route)
}

function literalChild(node: Node, text: string): Node {
  const known = node.literals.get(text)
  if (known !== undefined) return known
  const child = emptyNode()
  node.literals.set(text, child)
  return child
}

function declare(terminal: Terminal, route: Route): RouteConflict | null {
  const match: RouteMatch = { methodMatched: true, route }
  const clash = (other: RouteMatch | null | undefined, method: string | null): RouteConflict | null =>
    other?.methodMatched === true ? { first: other.route, second: route, method } : null
  if (route.methods.length === 0) {
    const [first] = terminal.byMethod
    const conflict = clash(terminal.everyMethod, null) ?? clash(first?.[1], first?.[0] ?? null)
    terminal.everyMethod ??= match
    return conflict
  }
  for (const method of route.methods) {
    const conflict = clash(terminal.everyMethod ?? terminal.byMethod.get(method), method)
    if (conflict !== null) return conflict
    terminal.byMethod.set(method, match)
  }
  return null
}

function find(root: Node, method: string, path: string): RouteMatch | null {
  const end = path.length > 1 && path.endsWith('/') ? path.length - 1 : path.length
  const found = walk(root, path, 1, end, method)
  if (found !== null) return found
  const allow = new Set<string>()
  collect(root, path, 1, end, allow)
  return allow.size === 0 ? null : { methodMatched: false, allow: [...allow].toSorted() }
}

/** Depth first in order of rank, so that the first hit is the most specific; each node is seen once a level. */
function walk(node: Node, path: string, from: number, end: number, method: string): RouteMatch | null {
  if (from >= end) return served(node.end, method) ?? served(node.tail, method)
  const next = segmentEnd(path, from, end)
  const literal = node.literals.get(path.slice(from, next))
  if (literal !== undefined) {
    const found = walk(literal, path, next + 1, end, method)
    if (found !== null) return found
  }
  if (node.parameter !== null && next > from) {
    const found = walk(node.parameter, path, next + 1, end, method)
    if (found !== null) return found
  }
  return served(node.tail, method)
}

function served(terminal: Terminal, method: string): RouteMatch | null {
  const own = terminal.byMethod.get(method)
  if (own !== undefined) return own
  const get = method === 'HEAD' ? terminal.byMethod.get('GET') : undefined
  return get ?? terminal.everyMethod
}

function collect(node: Node, path: string, from: number, end: number, allow: Set<string>): void {
  addMethods(node.tail, allow)
  if (from >= end) {
    addMethods(node.end, allow)
    return
  }
  const next = segmentEnd(path, from, end)
  const literal = node.literals.get(path.slice(from, next))
  if (literal !== undefined) collect(literal, path, next + 1, end, allow)
  if (node.parameter !== null && next > from) collect(node.parameter, path, next + 1, end, allow)
}

function addMethods(terminal: Terminal, allow: Set<string>): void {
  for (const method of terminal.byMethod.keys()) {
    allow.add(method)
    if (method === 'GET') allow.add('HEAD')
  }
}

function segmentEnd(path: string, from: number, end: number): number {
  const next = path.indexOf('/', from)
  return next === -1 || next > end ? end : next
}

/** The literals before the first parameter, with the slashes that hold them: '/' or '/objects/'. */
function literalPrefix(pattern: string): string {
  const segments = parsePattern(pattern)
  let prefix = '/'
  for (const segment of segments.ok ? segments.value : []) {
    if (typeof segment === 'string') return prefix
    prefix += `${segment.literal}/`
  }
  return prefix.length > 1 ? prefix.slice(0, -1) : prefix
}

const decodingsMax = 4

/** The path as it is, and as upstreams read it that decode it once, twice, …; null where that has no end. */
function generousReadings(rawPath: string): readonly string[] | null {
  const readings = [rawPath]
  for (let text = rawPath; readings.length <= decodingsMax; readings.push(text)) {
    const decoded = decodedOnce(text)
    if (decoded === text) return readings
    text = decoded
  }
  return null
}

const hex = (digits: string): number => Number.parseInt(digits, 16)

/** Percent-encoded ASCII, also as `%uXXXX` and in UTF-8 that is longer than it may be, as careless decoders take it. */
function decodedOnce(text: string): string {
  return text
    .replaceAll(/%u00([0-7][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(hex(digits)))
    .replaceAll(/%(?:c|e0%8)([01])%([89ab][0-9a-f])/gi, (_, high: string, low: string) =>
      String.fromCharCode(64 * Number(high) + hex(low) - 0x80),
    )
    .replaceAll(/%([0-7][0-9a-f])/gi, (_, digits: string) => String.fromCharCode(hex(digits)))
}

/** The path with `\` as `/`, path parameters cut, empty and dot segments resolved. Null where it climbs above its root. */
function resolveGenerously(path: string): string | null {
  const segments: string[] = []
  for (const segment of path.split(/[/\\]/)) {
    const name = segment.split(';', 1)[0] ?? ''
    if (name === '..') {
      if (segments.length === 0) return null
      segments.pop()
    } else if (name !== '' && name !== '.') segments.push(name)
  }
  return `/${segments.join('/')}`
}
