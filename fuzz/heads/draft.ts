import type { Chance } from '../lib/chance.ts'
import { chunk } from './attacks.ts'

/** A request in parts, so that each can be broken by itself. */
export interface Draft {
  method: string
  target: string
  version: string
  /** Between the words of the request line. */
  spaces: [string, string]
  /** Without their ends. */
  lines: string[]
  /** The end of every line, and of the head. */
  ends: string[]
  framing: 'none' | 'length' | 'chunks'
  body: string
  chunks: string[]
  trailers: string[]
  /** The last chunk and the end behind the trailers. */
  last: [string, string]
}

/** A request that is fine. */
export function draftOf(chance: Chance, key: string): Draft {
  const framing = chance.pick(framings)
  const body = framing === 'none' ? '' : chance.pick(bodies)
  const half = Math.floor(body.length / 2)
  const lines = [`Host: ${chance.pick(['shop.test', 'a', '127.0.0.1:80'])}`]
  if (chance.in(0.9)) lines.push(chance.in(0.7) ? `X-Api-Key: ${key}` : `Authorization: Bearer ${key}`)
  for (let more = chance.below(4); more > 0; more--) lines.push(chance.pick(ordinary))
  if (framing === 'length') lines.push(`Content-Length: ${body.length}`)
  if (framing === 'chunks') lines.push('Transfer-Encoding: chunked')
  return {
    method: chance.pick([
      'GET',
      'GET',
      'POST',
      'POST',
      'PUT',
      'DELETE',
      'HEAD',
      'OPTIONS',
      'PATCH',
      'QUERY',
      'M-SEARCH',
    ]),
    target: chance.pick(targets),
    version: 'HTTP/1.1',
    spaces: [' ', ' '],
    lines: shuffledBy(chance, lines),
    ends: [],
    framing,
    body,
    chunks:
      framing !== 'chunks' || body === ''
        ? []
        : chance.in(0.5)
          ? [chunk(body)]
          : [body.slice(0, half), body.slice(half)].filter((part) => part !== '').map(chunk),
    trailers: framing === 'chunks' && chance.in(0.2) ? [chance.pick(['X-Checksum: abc', 'X-Sum: 1'])] : [],
    last: ['0\r\n', '\r\n'],
  }
}

export function written(draft: Draft): string {
  const { method, target, version, spaces, lines, ends, framing, body, chunks, trailers, last } = draft
  const end = (i: number): string => ends[i] ?? '\r\n'
  const head = [`${method}${spaces[0]}${target}${spaces[1]}${version}`, ...lines]
  const text = head.map((line, i) => line + end(i)).join('') + end(head.length)
  if (framing !== 'chunks') return text + body
  return text + chunks.join('') + last[0] + trailers.map((line) => `${line}\r\n`).join('') + last[1]
}

function shuffledBy<Value>(chance: Chance, values: readonly Value[]): Value[] {
  const out: Value[] = []
  for (const value of values) out.splice(chance.below(out.length + 1), 0, value)
  return out
}

const framings = ['none', 'none', 'length', 'chunks'] as const

const ordinary = [
  'Accept: */*',
  'Accept-Encoding: gzip, deflate',
  'Cookie: a=1; b=2',
  'Cookie: c=3',
  'Content-Type: application/json; charset=utf-8',
  'User-Agent: fuzz/1 (any; thing)',
  'Referer: https://x.test/?a=b',
  'Origin: https://x.test',
  'If-None-Match: "abc"',
  'Range: bytes=0-1',
  'X-Empty:',
  'X-Spaces:   a  b\t ',
  'X-Obs: \u00e9\u00ff',
  'Connection: keep-alive',
  'Connection: close',
  'Via: 1.1 x',
] as const

const targets = [
  '/',
  '/v1/orders/1',
  '/v1/orders/1?x=1&y=%20',
  '/v1/%7Eme/a%20b',
  '/v1/orders?',
  '/v1/orders/?&&a',
  "/!$&'()*+,=:@-._~",
] as const

const bodies = [
  '',
  'x',
  'hello world',
  '{"a":[1,2,3]}',
  'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n',
  '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n',
  '\r\n\r\n',
  '\u0000\u0001\u00ff\r\n0\r\n',
  'a'.repeat(3_000),
] as const
