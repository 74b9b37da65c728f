/**
 * Brings a request target into the one form that is matched: the raw path with percent-encoded unreserved
 * characters decoded (RFC 3986, section 2.3) and the digits of all other triplets in upper case (6.2.2.1).
 * Only one level is decoded. What an upstream might read differently is refused, such as `%252e` by one that decodes
 * twice.
 * A target of plain characters costs one scan and two slices.
 */
export function canonicalPath(target: string): CanonicalPath {
  if (target.charCodeAt(0) !== slash) return refused('not_origin_form', null)
  let segmentStart = 1
  let at = 1
  for (; at < target.length; at++) {
    const code = target.charCodeAt(at)
    const kind = code < 128 ? (classOf[code] ?? other) : other
    if (kind === plain) continue
    if (kind === question) break
    if (kind !== separator) return decoded(target)
    if (at === segmentStart) return refused('empty_segment', target)
    if (isDotSegment(target, segmentStart, at)) return refused('dot_segment', target)
    segmentStart = at + 1
  }
  if (isDotSegment(target, segmentStart, at)) return refused('dot_segment', target)
  if (at === target.length) return { ok: true, path: target, query: '' }
  const fault = queryFault(target, at)
  return fault === null ? { ok: true, path: target.slice(0, at), query: target.slice(at) } : refused(fault, null)
}

export type CanonicalPath =
  | {
      readonly ok: true
      readonly path: string
      /** With its `?`, empty where there is none: the raw path is the target without these last characters. */
      readonly query: string
    }
  | {
      readonly ok: false
      readonly fault: PathFault
      /** What routes with `raw_path` match on; null where not even they may: nothing can forward it safely. */
      readonly raw: { readonly path: string; readonly query: string } | null
    }

export type PathFault =
  | 'not_origin_form'
  | 'character'
  | 'fragment'
  | 'empty_segment'
  | 'dot_segment'
  | 'backslash'
  | 'semicolon'
  | 'encoded_separator'
  | 'encoded_control'
  | 'malformed_percent'
  | 'double_encoding'
  | 'invalid_utf8'

/** What is wrong, for the trace and the answer's hint: each is about the request's own text. */
export const pathFaults: Readonly<Record<PathFault, string>> = {
  not_origin_form: 'the request target is not a path that begins with "/"',
  character: 'the target holds a space, a control character or a byte outside ASCII that is not percent-encoded',
  fragment: 'the target holds "#"',
  empty_segment: 'the path holds "//"',
  dot_segment: 'the path holds a "." or ".." segment',
  backslash: 'the path holds "\\"',
  semicolon: 'the path holds ";", plain or as %3B',
  encoded_separator: 'the path holds an encoded "/" or "\\"',
  encoded_control: 'the path holds an encoded control character',
  malformed_percent: 'a "%" in the path is not followed by two hex digits',
  double_encoding: 'the path holds something that is percent-encoded twice',
  invalid_utf8: 'the percent-encoded bytes of the path are not valid UTF-8',
}

/**
 * How many characters of the target spell the canonical `prefix` of an address. Segments cannot hold an encoded
 * separator, so the prefix ends where as many segments of the raw path end.
 */
export function rawPrefixLength(target: string, prefix: string): number {
  const mark = target.indexOf('?')
  const end = mark === -1 ? target.length : mark
  let at = 0
  for (let i = 0; i < prefix.length; i++) {
    if (prefix.charCodeAt(i) !== slash) continue
    const next = target.indexOf('/', at + 1)
    at = next === -1 || next > end ? end : next
  }
  return at
}

/**
 * The form in which literals are compared: printable ASCII that is no delimiter is decoded as well, on both
 * sides, because most upstreams do so before they route: `/v1/orders%3Apurge` must not slip past the route
 * `/v1/orders:purge` into `/v1/{name}`.
 */
export function comparisonForm(canonical: string): string {
  if (!canonical.includes('%')) return canonical
  return canonical.replace(/%([2-7][0-9A-F])/g, (encoded, digits: string) => {
    const code = Number.parseInt(digits, 16)
    return code === 0x20 || code === 0x7f || '%/\\;?#'.includes(String.fromCharCode(code))
      ? encoded
      : String.fromCharCode(code)
  })
}

const slash = 0x2f
const percent = 0x25

const plain = 0
const separator = 1
const question = 2
/** Everything that the scan does not settle by itself. */
const other = 3

const classOf = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code === slash) return separator
  if (code === 0x3f) return question
  return code <= 0x20 || code === 0x7f || '#%;\\'.includes(String.fromCharCode(code)) ? other : plain
})

function refused(fault: PathFault, target: string | null): CanonicalPath {
  return { ok: false, fault, raw: target === null ? null : rawForm(target) }
}

function rawForm(target: string): { path: string; query: string } | null {
  if (!/^[!-"$-~]*$/.test(target)) return null
  const mark = target.indexOf('?')
  return mark === -1 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) }
}

/** Bytes above ASCII pass: the query takes no part in matching, and is sent as it came. */
function queryFault(target: string, from: number): 'character' | 'fragment' | null {
  for (let at = from; at < target.length; at++) {
    const code = target.charCodeAt(at)
    if (code <= 0x20 || code === 0x7f || code > 0xff) return 'character'
    if (code === 0x23) return 'fragment'
  }
  return null
}

function isDotSegment(text: string, start: number, end: number): boolean {
  const length = end - start
  if (length === 0 || length > 2 || text.charCodeAt(start) !== 0x2e) return false
  return length === 1 || text.charCodeAt(start + 1) === 0x2e
}

function decoded(target: string): CanonicalPath {
  const mark = target.indexOf('?')
  const end = mark === -1 ? target.length : mark
  let path = ''
  for (let at = 0; at < end;) {
    const unit = target.charCodeAt(at) === percent ? triplet(target, at, end) : literal(target, at)
    if (typeof unit === 'string') return refused(unit, unit === 'character' || unit === 'fragment' ? null : target)
    path += unit.text
    at += unit.length
  }
  const fault = segmentFault(path)
  if (fault !== null) return refused(fault, target)
  const inQuery = queryFault(target, end)
  return inQuery === null ? { ok: true, path, query: target.slice(end) } : refused(inQuery, null)
}

interface Unit {
  readonly text: string
  /** Characters of the target that it stands for. */
  readonly length: number
}

function literal(target: string, at: number): Unit | PathFault {
  const code = target.charCodeAt(at)
  if (code <= 0x20 || code >= 0x7f) return 'character'
  if (code === 0x23) return 'fragment'
  if (code === 0x3b) return 'semicolon'
  if (code === 0x5c) return 'backslash'
  return { text: target.charAt(at), length: 1 }
}

function triplet(target: string, at: number, end: number): Unit | PathFault {
  const byte = encodedByte(target, at, end)
  if (byte === -1) return 'malformed_percent'
  if (byte >= 0x80) return character(target, at, end, byte)
  if (byte < 0x20 || byte === 0x7f) return 'encoded_control'
  if (byte === slash || byte === 0x5c) return 'encoded_separator'
  if (byte === 0x3b) return 'semicolon'
  if (byte === percent && isHexPair(target, at + 3, end)) return 'double_encoding'
  const text = String.fromCharCode(byte)
  return /[A-Za-z0-9._~-]/.test(text)
    ? { text, length: 3 }
    : { text: target.slice(at, at + 3).toUpperCase(), length: 3 }
}

/** One character beyond ASCII in its only valid encoding (RFC 3629, section 4), and no C1 control. */
function character(target: string, at: number, end: number, lead: number): Unit | PathFault {
  const shape = utf8Shapes.find(({ first, last }) => lead >= first && lead <= last)
  if (shape === undefined) return 'invalid_utf8'
  for (let i = 1; i <= shape.more; i++) {
    const byte = encodedByte(target, at + 3 * i, end)
    const [low, high] = i === 1 ? shape.second : [0x80, 0xbf]
    if (byte < low || byte > high) return 'invalid_utf8'
  }
  const length = 3 * (shape.more + 1)
  if (lead === 0xc2 && encodedByte(target, at + 3, end) < 0xa0) return 'encoded_control'
  return { text: target.slice(at, at + length).toUpperCase(), length }
}

interface Utf8Shape {
  readonly first: number
  readonly last: number
  readonly more: number
  readonly second: readonly [number, number]
}

const utf8Shapes: readonly Utf8Shape[] = [
  { first: 0xc2, last: 0xdf, more: 1, second: [0x80, 0xbf] },
  { first: 0xe0, last: 0xe0, more: 2, second: [0xa0, 0xbf] },
  { first: 0xe1, last: 0xec, more: 2, second: [0x80, 0xbf] },
  { first: 0xed, last: 0xed, more: 2, second: [0x80, 0x9f] },
  { first: 0xee, last: 0xef, more: 2, second: [0x80, 0xbf] },
  { first: 0xf0, last: 0xf0, more: 3, second: [0x90, 0xbf] },
  { first: 0xf1, last: 0xf3, more: 3, second: [0x80, 0xbf] },
  { first: 0xf4, last: 0xf4, more: 3, second: [0x80, 0x8f] },
]

/** The byte of the triplet at `at`, -1 where there is none. */
function encodedByte(target: string, at: number, end: number): number {
  if (at + 2 >= end || target.charCodeAt(at) !== percent) return -1
  const high = hexDigit(target.charCodeAt(at + 1))
  const low = hexDigit(target.charCodeAt(at + 2))
  return high === -1 || low === -1 ? -1 : high * 16 + low
}

function isHexPair(target: string, at: number, end: number): boolean {
  return at + 1 < end && hexDigit(target.charCodeAt(at)) !== -1 && hexDigit(target.charCodeAt(at + 1)) !== -1
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function segmentFault(path: string): 'empty_segment' | 'dot_segment' | null {
  for (let start = 1; start <= path.length;) {
    const next = path.indexOf('/', start)
    const end = next === -1 ? path.length : next
    if (isDotSegment(path, start, end)) return 'dot_segment'
    if (end === start && next !== -1) return 'empty_segment'
    start = end + 1
  }
  return null
}
