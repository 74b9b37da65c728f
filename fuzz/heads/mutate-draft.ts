import type { Chance } from '../lib/chance.ts'
import { chunk } from './attacks.ts'
import type { Draft } from './draft.ts'

/** One change of meaning: each is something that two parsers were once seen to read differently. */
export function mutateDraft(chance: Chance, draft: Draft): void {
  chance.pick(mutations)(draft, chance)
}

type Mutation = (draft: Draft, chance: Chance) => void

const insert = (draft: Draft, chance: Chance, line: string): void =>
  void draft.lines.splice(chance.below(draft.lines.length + 1), 0, line)

const mutations: readonly [Mutation, ...Mutation[]] = [
  // framing
  (draft, chance) => insert(draft, chance, `${chance.pick(lengthNames)}${chance.pick(lengths(draft))}`),
  (draft, chance) => insert(draft, chance, `${chance.pick(encodingNames)}${chance.pick(encodings)}`),
  (draft, chance) => {
    const at = draft.lines.findIndex((line) => /^(content-length|transfer-encoding)/i.test(line))
    if (at === -1) return
    const line = draft.lines[at] ?? ''
    const what = chance.pick(['again', 'gone', 'spelt', 'spelt'])
    if (what === 'again') draft.lines.push(line)
    else if (what === 'gone') draft.lines.splice(at, 1)
    else draft.lines[at] = line.replace(/:\s*/, chance.pick([' : ', ':', ':\t', ':  ', '\t:', ':\r\n ', ';', ' ']))
  },
  (draft, chance) => {
    draft.body += chance.pick(['x', '\r\n', 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'])
  },
  (draft) => {
    draft.body = draft.body.slice(0, -1)
  },
  // chunks
  (draft, chance) => {
    const at = chance.below(draft.chunks.length + 1)
    const part = draft.chunks[at] ?? chunk('extra')
    const size = part.slice(0, part.indexOf('\r\n'))
    const data = part.slice(size.length)
    draft.chunks[at] = chance.pick([
      `0${size}${data}`,
      `0x${size}${data}`,
      `+${size}${data}`,
      `-${size}${data}`,
      `${size} ${data}`,
      ` ${size}${data}`,
      `${size.toUpperCase()}${data}`,
      `${size};x=y${data}`,
      `${size};x="y;\\"z"${data}`,
      `${size};${'x'.repeat(20_000)}${data}`,
      `${size};x\n${data}`,
      `${size};x\r${data}`,
      `${size};x="\r\n"${data}`,
      `${size}${data.slice(0, -2)}`,
      `${size}${data.slice(0, -2)}\n`,
      `${size}${data}\r\n`,
      `${size}\n${data.slice(2)}`,
      `f${size}${data}`,
      `0000000000000000${size}${data}`,
      `1000000000000000${size}${data}`,
    ])
  },
  (draft, chance) => {
    draft.last = [
      chance.pick(['0\r\n', '00\r\n', '0;x\r\n', '0 \r\n', '-0\r\n', '0\n', '\r\n', '0\r\r\n', '']),
      chance.pick(['\r\n', '\n', '\r\n\r\n', '', '\r\r\n', ' \r\n']),
    ]
  },
  (draft, chance) => void draft.trailers.push(chance.pick(trailerLines)),
  // request line
  (draft, chance) => {
    draft.method = chance.pick([
      'get',
      'TRACE',
      'CONNECT',
      'SMUGGLE',
      'PRI',
      'SOURCE',
      'G\tT',
      '',
      'POST\u0000',
      'PROPFIND',
      'GET,POST',
    ])
  },
  (draft, chance) => {
    draft.target = chance.pick(oddTargets)
  },
  (draft, chance) => {
    draft.version = chance.pick([
      'HTTP/1.0',
      'HTTP/1.0',
      'HTTP/0.9',
      'HTTP/2.0',
      'HTTP/1.2',
      'HTTP/1.10',
      'http/1.1',
      'HTTP/1.1 ',
      '',
      'RTSP/1.0',
      'ICE/1.0',
      'HTTP/1,1',
    ])
  },
  (draft, chance) => {
    draft.spaces[chance.below(2)] = chance.pick(['  ', '\t', '', ' \t', '\u000b', '\r', '\n', ' \r\n '])
  },
  // lines
  (draft, chance) => {
    draft.ends[chance.below(draft.lines.length + 2)] = chance.pick([
      '\n',
      '\r',
      '\r\r\n',
      '\n\r',
      '\r\n\r\n',
      '\r\n ',
      '\r\n\t',
      '',
      ' \r\n',
      '\u0000\r\n',
    ])
  },
  (draft, chance) => {
    const at = chance.below(draft.lines.length)
    const line = draft.lines[at] ?? ''
    draft.lines[at] = chance.pick([
      ` ${line}`,
      `\t${line}`,
      line.replace(':', ' :'),
      line.replace(':', '\t:'),
      line.replace(':', ''),
      line.replace(':', ':\u0000'),
      `${line}\u0001`,
      line.replaceAll('-', '_'),
      inCapitals(line),
      `${line}\r\n folded`,
      `\u0000${line}`,
      `${line}\rX: y`,
      `${line}\nX: y`,
    ])
  },
  (draft, chance) =>
    insert(
      draft,
      chance,
      chance.pick(['Host: other.test', 'host: shop.test', 'Host : x', 'Host:', 'HOST: shop.test:80', 'X-Host: x']),
    ),
  (draft) => {
    draft.lines = draft.lines.filter((line) => !/^host/i.test(line))
  },
  (draft, chance) => void draft.lines.push(...Array.from({ length: chance.pick([90, 100, 101, 1_005]) }, () => 'X:y')),
  (draft, chance) => insert(draft, chance, `X-Long: ${'l'.repeat(chance.pick([1_000, 8_000, 16_500, 70_000]))}`),
  // what only the gateway may say, and what belongs to a connection
  (draft, chance) => insert(draft, chance, `${spelt(chance, chance.pick(identityNames))}: evil`),
  (draft, chance) => insert(draft, chance, `${spelt(chance, chance.pick(identityNames))}: evil`),
  (draft, chance) => insert(draft, chance, chance.pick(ofConnection)),
  (draft, chance) =>
    insert(
      draft,
      chance,
      `Connection: ${chance.pick(['close, ', 'keep-alive,', ''])}${chance.pick([...identityNames, 'Host', 'Content-Length', 'Transfer-Encoding', 'X-Api-Key', 'Cookie'])}`,
    ),
  (draft, chance) =>
    insert(
      draft,
      chance,
      chance.pick(['Connection: Upgrade\r\nUpgrade: websocket', 'Upgrade: h2c', 'Connection: upgrade', 'Upgrade:']),
    ),
  (draft, chance) =>
    insert(draft, chance, chance.pick(['Expect: 100-continue', 'Expect: 100-Continue', 'Expect: x', 'Expect:'])),
]

/** In another case, or with what some servers take for a hyphen. */
function spelt(chance: Chance, name: string): string {
  return chance.pick([
    name,
    name.toLowerCase(),
    inCapitals(name),
    name.replaceAll('-', '_'),
    name.replace('-', '_'),
    name.replaceAll('-', '.'),
  ])
}

/** Letters of ASCII alone: those of other bytes have capitals that are no bytes. */
const inCapitals = (text: string): string => text.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase())

const lengths = (draft: Draft): [string, ...string[]] => {
  const { length } = draft.body
  return [
    String(length),
    String(length),
    String(length + 1),
    String(length + 40),
    '0',
    `+${length}`,
    `-${length}`,
    `0${length}`,
    `0x${length.toString(16)}`,
    `${length}, ${length}`,
    `${length},`,
    `${length} ${length}`,
    `${length}.0`,
    `${length}e0`,
    ' ',
    '99999999999999999999',
    `${length}\u000b`,
    `\u00a0${length}`,
  ]
}

const lengthNames = [
  'Content-Length: ',
  'content-length:',
  'CONTENT-LENGTH: ',
  'Content-Length : ',
  'Content_Length: ',
  ' Content-Length: ',
  'Content-Length\t:',
] as const
const encodingNames = [
  'Transfer-Encoding: ',
  'transfer-encoding:',
  'Transfer-Encoding : ',
  'Transfer_Encoding: ',
  '\tTransfer-Encoding: ',
  'Transfer-Encoding:\r\n ',
] as const
const encodings = [
  'chunked',
  'chunked',
  'CHUNKED',
  'identity',
  'identity, chunked',
  'chunked, identity',
  'chunked, chunked',
  'gzip, chunked',
  'chunked,',
  ',chunked',
  'xchunked',
  'chunked;a',
  '"chunked"',
  '',
  'chunked\u0000',
  '\u000bchunked',
  ' chunked\t',
] as const

const trailerLines = [
  'X-Checksum: abc',
  'X-Postern-Account: evil',
  'x_postern_account: evil',
  'X-Forwarded-For: 203.0.113.9',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Host: other.test',
  'Authorization: Bearer evil',
  'Connection: close',
  'X : y',
  ' X: y',
  'no colon',
  'X: a\nY: b',
  'X: \u0000',
  `X-Long: ${'l'.repeat(20_000)}`,
] as const

const oddTargets = [
  'http://other.test/',
  'https://shop.test:443/x',
  '*',
  'other.test:443',
  '//other.test/x',
  '/a b',
  '/a\tb',
  '/\u0000',
  '/\u00e9',
  '/%',
  '/%00',
  '/%2e%2e/x',
  '/../x',
  '/a/./b',
  '/a//b',
  '/a;b',
  '/a\\b',
  '/a%2fb',
  '/a#b',
  '/?a#b',
  '?x',
  '',
  '/x HTTP/1.1\r\nX: y',
  `/${'l'.repeat(8_200)}`,
] as const

const identityNames = [
  'X-Postern-Account',
  'X-Postern-Credential',
  'X-Postern-Scopes',
  'X-Postern-Request',
  'X-Postern-Anything',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Request-Id',
  'Forwarded',
  'X-Real-IP',
  'X-Original-URL',
  'X-HTTP-Method-Override',
] as const

const ofConnection = [
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'TE: chunked',
  'Trailer: X-Checksum',
  'Trailer: Content-Length',
  'Proxy-Connection: close',
  'Proxy-Authorization: Basic eDp5',
  'HTTP2-Settings: AAMA',
  'Connection: close',
  'Connection: keep-alive, X-Own\r\nX-Own: 1',
] as const
