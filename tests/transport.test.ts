import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { exchange, request, type RawRequest } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const yaml = `
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: UPSTREAM
    credentials:
      - {in: bearer}
      - {in: header, name: X-Api-Key}
      - {in: query, name: api_key}
      - {in: basic}
      - {in: pair, id: X-App-Id, secret: X-App-Token}
    routes: [{id: all, path: "/**"}]
  plain:
    address: plain.test
    upstream: UPSTREAM
    credentials: [{in: bearer}]
    routes: [{id: all, path: "/**"}]
plans:
  pro: {apis: [shop, plain], kinds: [secret]}
  strict: {apis: [shop], kinds: [secret], on_exposed: revoke}
`

let server: TestServer
let account: Account
let key: Holder
let other: Holder

beforeAll(async () => {
  // 127.0.0.1 and 127.0.0.3 are proxies of ours; 127.0.0.2 is anybody.
  server = await startTestServer({
    yaml,
    listen: ', trusted_proxies: [127.0.0.1, 127.0.0.3, "10.0.0.0/8"], plain_http_from: [127.0.0.1, 127.0.0.3]',
  })
  account = await makeAccount(server.api, 'pro')
  key = await issue(server.api, account.project, { apis: ['shop', 'plain'], scopes: [] })
  other = await issue(server.api, account.project, { apis: ['shop', 'plain'], scopes: [] })
})
afterAll(() => server.stop())
beforeEach(() => server.upstream.clear())

async function said(asked: RawRequest): Promise<string> {
  const answer = await request(server.gatewayPort, asked)
  return answer.status === 200 ? '200' : `${answer.status} ${answer.body.code}`
}

const forwarded = (chain: string, ...more: (readonly [string, string])[]): (readonly [string, string])[] => [
  bearer(key.value),
  ['X-Forwarded-For', chain],
  ['X-Forwarded-Proto', 'https'],
  ...more,
]
const lastHeader = (name: string) => {
  const lines = server.upstream.seen.at(-1)?.headers ?? []
  return lines.flatMap((line, i) => (i % 2 === 0 && line.toLowerCase() === name ? [lines[i + 1]] : []))
}

describe('the client’s address (36)', () => {
  it.each([
    ['the only entry', '203.0.113.7', '203.0.113.7'],
    ['the rightmost that is no proxy of ours', '203.0.113.7, 198.51.100.9', '198.51.100.9'],
    ['the one before our proxies', '203.0.113.7, 198.51.100.9, 10.1.2.3, 127.0.0.3', '198.51.100.9'],
    ['the leftmost where all are ours', '10.1.2.3, 127.0.0.3', '10.1.2.3'],
    ['an IPv4 address written as IPv6', '::ffff:198.51.100.9', '198.51.100.9'],
    ['an IPv6 address in short form', '2001:DB8:0:0::1', '2001:db8::1'],
    ['the proxy itself where the entry is no address', '203.0.113.7, unknown', '127.0.0.1'],
    ['the last good one where an entry is no address', '203.0.113.7, evil, 10.0.0.1', '10.0.0.1'],
    ['no address in octal', '0313.0.113.7', '127.0.0.1'],
    ['no address with a port', '203.0.113.7:80', '127.0.0.1'],
    ['no address in brackets', '[2001:db8::1]', '127.0.0.1'],
    ['no address with a zone', 'fe80::1%eth0', '127.0.0.1'],
    ['no address as a number', '3405803783', '127.0.0.1'],
  ])('is %s', async (_, chain, client) => {
    expect(await said({ headers: forwarded(chain) })).toBe('200')
    expect(lastHeader('x-forwarded-for')).toEqual([client])
  })

  it('joins several lines in their order', async () => {
    expect(await said({ headers: [...forwarded('203.0.113.7'), ['x-forwarded-for', '198.51.100.9, 10.1.1.1']] })).toBe(
      '200',
    )
    expect(lastHeader('x-forwarded-for')).toEqual(['198.51.100.9'])
  })

  it('is the socket’s where the peer is no proxy, whatever it says', async () => {
    const limited = await issue(server.api, account.project, { apis: ['shop'], scopes: [], ip_allow: ['203.0.113.7'] })
    const spoofed: (readonly [string, string])[] = [
      'X-Forwarded-For',
      'X-Real-IP',
      'X-Client-IP',
      'True-Client-IP',
      'CF-Connecting-IP',
      'Forwarded',
      'X-Cluster-Client-IP',
      'Fastly-Client-IP',
      'X_Forwarded_For',
      'X.Forwarded.For',
    ].map((name) => [name, name === 'Forwarded' ? 'for=203.0.113.7' : '203.0.113.7'])
    const proxied = await said({
      headers: [
        bearer(limited.value),
        ['X-Forwarded-Proto', 'https'],
        ...spoofed.filter(([name]) => name !== 'X-Forwarded-For'),
      ],
    })
    expect(proxied).toBe('403 ip_not_allowed')
    expect(
      await said({
        headers: [bearer(limited.value), ['X-Forwarded-Proto', 'https'], ['X-Forwarded-For', '203.0.113.7']],
      }),
    ).toBe('200')
    for (const [name] of spoofed.slice(1)) expect(lastHeader(name.toLowerCase())).toEqual([])
    const direct = await request(server.gatewayPort, {
      from: '127.0.0.2',
      headers: [bearer(limited.value), ['X-Forwarded-Proto', 'https'], ...spoofed],
    })
    expect([direct.status, direct.body.code]).toEqual([403, 'insecure_transport'])
  })

  it.each([
    ['203.0.113.7', ['203.0.113.0/24'], true],
    ['203.0.114.7', ['203.0.113.0/24'], false],
    ['203.0.113.255', ['203.0.113.0/24'], true],
    ['203.0.112.255', ['203.0.113.0/24'], false],
    ['198.51.100.9', ['::ffff:198.51.100.0/120'], true],
    ['::ffff:198.51.100.9', ['198.51.100.9'], true],
    ['2001:db8:ffff::1', ['2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['203.0.113.7', ['0.0.0.0/0'], true],
    ['2001:db8::1', ['0.0.0.0/0'], false],
    ['203.0.113.7', ['::/0'], false],
    ['203.0.113.7', ['192.0.2.1', '203.0.113.6/31'], true],
  ] as const)('%s against %j: %s (35)', async (client, list, allowed) => {
    const limited = await issue(server.api, account.project, { apis: ['shop'], scopes: [], ip_allow: list })
    expect(
      await said({ headers: [bearer(limited.value), ['X-Forwarded-Proto', 'https'], ['X-Forwarded-For', client]] }),
    ).toBe(allowed ? '200' : '403 ip_not_allowed')
  })

  it.each([
    '010.0.0.1',
    '10.1',
    '0x7f.1',
    '1.2.3.4/33',
    '1.2.3.4/-1',
    '1.2.3.4/08',
    '::1/129',
    'fe80::1%eth0',
    'localhost',
    '*',
    '1.2.3.4-5',
    ' 1.2.3.4',
    '[::1]',
  ])('no list takes %j (35)', async (entry) => {
    const answer = await server.api('POST', `/projects/${account.project}/credentials`, {
      name: 'x',
      kind: 'secret',
      apis: ['shop'],
      scopes: [],
      ip_allow: [entry],
    })
    expect([answer.status, answer.body.code]).toEqual(
      entry === '*' ? [400, 'body_invalid'] : [422, 'not_acceptable_value'],
    )
  })
})

describe('plain HTTP (WCT-6, 15)', () => {
  it('from outside is refused, never redirected, and marks the credential that travelled', async () => {
    const leaked = await issue(server.api, account.project, { apis: ['shop'], scopes: [] })
    const answer = await request(server.gatewayPort, { from: '127.0.0.2', headers: [bearer(leaked.value)] })
    expect([
      answer.status,
      answer.header('location'),
      answer.header('content-type'),
      answer.header('cache-control'),
    ]).toEqual([403, null, 'application/problem+json', 'no-store'])
    expect(answer.body).toEqual({
      type: expect.stringContaining('/docs/errors/insecure_transport'),
      title: 'HTTPS is required',
      status: 403,
      detail: expect.stringContaining('`listen.plain_http_from`'),
      code: 'insecure_transport',
      request_id: answer.header('x-request-id'),
    })
    expect(server.upstream.seen).toEqual([])
    const exposed = async () => (await server.api('GET', `/credentials/${leaked.id}`)).body.exposed_at
    await until('the credential is marked', async () => (await exposed()) !== null)
    const first = await exposed()
    await request(server.gatewayPort, { from: '127.0.0.2', headers: [bearer(leaked.value)] })
    expect(await exposed()).toBe(first)
    const events = async () =>
      (await server.api('GET', `/events?credential=${leaked.id}&action=credential.exposed`)).body.data
    expect(await events()).toMatchObject([
      {
        actor: { kind: 'system', id: 'gateway' },
        account: account.id,
        ip: '127.0.0.2',
        request_id: answer.header('x-request-id'),
        after: { secret: leaked.secretId },
      },
    ])
    expect(await said({ headers: [bearer(leaked.value)] })).toBe('200')

    const { body: rotated } = await server.api('POST', `/credentials/${leaked.id}/rotate`, { overlap: '1h' })
    await request(server.gatewayPort, { from: '127.0.0.2', headers: [bearer(rotated.secret.value)] })
    await until('the new secret is marked too', async () => (await events()).length === 2)
    const { secrets } = (await server.api('GET', `/credentials/${leaked.id}`)).body
    expect(secrets.map((secret: { exposed_at: string | null }) => secret.exposed_at)).toEqual([
      first,
      expect.stringMatching(/Z$/),
    ])
    expect(JSON.stringify(await events())).not.toContain(leaked.value)
  })

  it('15: ends the credential where its plan says so', async () => {
    const strict = await makeAccount(server.api, 'strict')
    const leaked = await issue(server.api, strict.project, { apis: ['shop'], scopes: [] })
    expect(await said({ headers: [bearer(leaked.value)] })).toBe('200')
    await request(server.gatewayPort, { from: '127.0.0.2', headers: [bearer(leaked.value)] })
    await until('it is revoked', async () => (await said({ headers: [bearer(leaked.value)] })) !== '200')
    expect(await said({ headers: [bearer(leaked.value)] })).toBe('401 credential_revoked')
    const shown = (await server.api('GET', `/credentials/${leaked.id}`)).body
    expect([shown.state, shown.state_reason]).toEqual(['revoked', 'came over plain HTTP'])
    expect(shown.exposed_at).not.toBeNull()
  })

  it('answers the same whether the credential is real or not, and wherever it stood', async () => {
    const bodyOf = async (headers: readonly (readonly [string, string])[], target = '/') => {
      const answer = await request(server.gatewayPort, { from: '127.0.0.2', headers, target })
      return { ...answer.body, request_id: '' }
    }
    const real = await bodyOf([bearer(other.value)])
    for (const headers of [
      [bearer('wrong')],
      [bearer(`${other.value.slice(0, -1)}x`)],
      [],
      [['X-Api-Key', other.value] as const],
    ])
      expect(await bodyOf(headers)).toEqual(real)
    expect(await bodyOf([], `/?api_key=${other.value}`)).toEqual(real)
  })

  it('marks a key that came in the query or as Basic too', async () => {
    const inQuery = await issue(server.api, account.project, { apis: ['shop'], scopes: [] })
    const asBasic = await issue(server.api, account.project, { apis: ['shop'], scopes: [] })
    await request(server.gatewayPort, { from: '127.0.0.2', target: `/v1/x?api_key=${inQuery.value}` })
    await request(server.gatewayPort, {
      from: '127.0.0.2',
      headers: [['Authorization', `Basic ${Buffer.from(`${asBasic.publicId}:${asBasic.value}`).toString('base64')}`]],
    })
    for (const { id } of [inQuery, asBasic]) {
      await until('it is marked', async () => (await server.api('GET', `/credentials/${id}`)).body.exposed_at !== null)
      expect((await server.api('GET', `/events?credential=${id}&action=credential.exposed`)).body.data).toHaveLength(1)
    }
  })

  it('is what a trusted proxy says it was: the client’s own word counts for nothing', async () => {
    expect(
      await said({ headers: [bearer(key.value), ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-Proto', 'http']] }),
    ).toBe('403 insecure_transport')
    expect(await said({ headers: [bearer(key.value), ['X-Forwarded-For', '203.0.113.7']] })).toBe(
      '403 insecure_transport',
    )
    expect(
      await said({
        headers: [bearer(key.value), ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-Proto', 'https, http']],
      }),
    ).toBe('403 insecure_transport')
    expect(
      await said({ headers: [bearer(key.value), ['X-Forwarded-For', '203.0.113.7'], ['X-Forwarded-Proto', 'HTTPS']] }),
    ).toBe('200')
    expect(
      await said({
        from: '127.0.0.2',
        headers: [bearer(key.value), ['X-Forwarded-For', '127.0.0.1'], ['X-Forwarded-Proto', 'https']],
      }),
    ).toBe('403 insecure_transport')
  })

  it('from outside is refused by the management API as well', async () => {
    const port = Number(new URL(server.console).port)
    const answer = await request(port, { from: '127.0.0.2', target: '/api/v1/whoami', headers: [bearer(key.value)] })
    expect([answer.status, answer.body.code, answer.header('location')]).toEqual([403, 'insecure_transport', null])
  })
})

describe('one credential or none (39)', () => {
  const carriers = (holder: Holder): Record<string, { headers: (readonly [string, string])[]; query?: string }> => ({
    bearer: { headers: [bearer(holder.value)] },
    header: { headers: [['X-Api-Key', holder.value]] },
    query: { headers: [], query: `?api_key=${holder.value}` },
    pair: {
      headers: [
        ['X-App-Id', holder.publicId],
        ['X-App-Token', holder.value],
      ],
    },
    basic: {
      headers: [['Authorization', `Basic ${Buffer.from(`${holder.publicId}:${holder.value}`).toString('base64')}`]],
    },
  })
  const names = ['bearer', 'header', 'query', 'pair', 'basic']
  const two = names.flatMap((first, i) => names.slice(i + 1).map((second) => [first, second] as const))

  it.each(names)('%s alone is enough', async (name) => {
    const { headers = [], query = '' } = carriers(key)[name] ?? {}
    expect(await said({ target: `/v1/x${query}`, headers })).toBe('200')
    expect(JSON.stringify(server.upstream.seen)).not.toContain(key.value)
  })

  it.each(two)('%s and %s together are refused, also where both carry the same', async (first, second) => {
    for (const holder of [other, key]) {
      const one = carriers(key)[first]
      const another = carriers(holder)[second]
      const query = one?.query ?? another?.query ?? ''
      const code = first === 'bearer' && second === 'basic' ? 'request_malformed' : 'credential_ambiguous'
      expect(
        await said({ target: `/v1/x${query}`, headers: [...(one?.headers ?? []), ...(another?.headers ?? [])] }),
      ).toBe(`400 ${code}`)
    }
    expect(server.upstream.seen).toEqual([])
  })

  it.each([
    ['two Authorization lines', { headers: () => [bearer(key.value), bearer(key.value)] }, '400 request_malformed'],
    [
      'a header twice',
      {
        headers: () => [
          ['X-Api-Key', key.value],
          ['x-api-key', key.value],
        ],
      },
      '400 credential_ambiguous',
    ],
    ['a parameter twice', { target: () => `/?api_key=${key.value}&api_key=x` }, '400 credential_ambiguous'],
    [
      'a parameter twice, once encoded',
      { target: () => `/?api_key=${key.value}&%61pi_key=x` },
      '400 credential_ambiguous',
    ],
    [
      'two ids of a pair',
      {
        headers: () => [
          ['X-App-Id', key.publicId],
          ['X-App-Id', other.publicId],
          ['X-App-Token', key.value],
        ],
      },
      '400 credential_ambiguous',
    ],
    ['half a pair', { headers: () => [['X-App-Id', key.publicId]] }, '401 credential_malformed'],
    [
      'two keys with a comma',
      { headers: () => [['X-Api-Key', `${key.value}, ${other.value}`]] },
      '401 credential_malformed',
    ],
    ['an empty header beside a good one', { headers: () => [['X-Api-Key', ''], bearer(key.value)] }, '200'],
    [
      'a scheme that is not declared',
      { headers: () => [['Authorization', `Digest ${key.value}`]] },
      '401 credential_missing',
    ],
  ] as [string, { headers?: () => (readonly [string, string])[]; target?: () => string }, string][])(
    '%s',
    async (_, asked, expected) => {
      expect(await said({ target: asked.target?.() ?? '/', headers: asked.headers?.() ?? [] })).toBe(expected)
    },
  )
})

describe('a credential is read exactly (40)', () => {
  it.each([
    ['scheme in any case', (value: string) => `bEaReR ${value}`, '200'],
    ['two spaces', (value: string) => `Bearer  ${value}`, '401 credential_malformed'],
    ['a tab', (value: string) => `Bearer\t${value}`, '401 credential_missing'],
    ['no scheme', (value: string) => value, '401 credential_missing'],
    ['the scheme twice', (value: string) => `Bearer Bearer ${value}`, '401 credential_malformed'],
    ['nothing after it', () => 'Bearer ', '401 credential_malformed'],
    ['quotes', (value: string) => `Bearer "${value}"`, '401 credential_unknown'],
    ['lower case', (value: string) => `Bearer ${value.toLowerCase()}`, '401 credential_malformed'],
    ['upper case', (value: string) => `Bearer ${value.toUpperCase()}`, '401 credential_unknown'],
    ['one character less', (value: string) => `Bearer ${value.slice(0, -1)}`, '401 credential_malformed'],
    ['one character more', (value: string) => `Bearer ${value}0`, '401 credential_malformed'],
    ['a letter that looks alike', (value: string) => `Bearer ${value.slice(0, -1)}\u00c3`, '401 credential_malformed'],
    ['percent-encoding', (value: string) => `Bearer ${value.replace('_', '%5f')}`, '401 credential_unknown'],
    ['1,025 characters', () => `Bearer ${'x'.repeat(1_025)}`, '401 credential_malformed'],
    ['1,024 characters', () => `Bearer ${'x'.repeat(1_024)}`, '401 credential_unknown'],
    ['__proto__', () => 'Bearer __proto__', '401 credential_unknown'],
    ['constructor', () => 'Bearer constructor', '401 credential_unknown'],
  ])('%s', async (_, written, expected) => {
    expect(await said({ host: 'plain.test', headers: [['Authorization', written(key.value)]] })).toBe(expected)
  })

  it('every single character matters: no mutation of a good key is let in', async () => {
    const { value } = key
    const mutants = Array.from(
      value,
      (character, i) => value.slice(0, i) + (character === 'a' ? 'b' : 'a') + value.slice(i + 1),
    ).filter((mutant) => mutant !== value)
    const answers = await Promise.all(mutants.map((mutant) => said({ host: 'plain.test', headers: [bearer(mutant)] })))
    expect(new Set(answers)).toEqual(new Set(['401 credential_malformed', '401 credential_unknown']))
    expect(server.upstream.seen).toEqual([])
  })

  it.each([
    ['not base64', 'Basic !!!!', '401 credential_malformed'],
    ['no colon', `Basic ${Buffer.from('abc').toString('base64')}`, '401 credential_malformed'],
    ['no user', `Basic ${Buffer.from(':abc').toString('base64')}`, '401 credential_malformed'],
    ['no password', `Basic ${Buffer.from('abc:').toString('base64')}`, '401 credential_malformed'],
    [
      'its padding left out',
      `Basic ${Buffer.from('ab:c').toString('base64').replaceAll('=', '')}`,
      '401 credential_malformed',
    ],
    ['a prototype key as user', `Basic ${Buffer.from('__proto__:x').toString('base64')}`, '401 credential_unknown'],
  ])('Basic with %s', async (_, value, expected) => {
    expect(await said({ headers: [['Authorization', value]] })).toBe(expected)
  })
})

describe('one request in is one request out (58, 59)', () => {
  const head = (lines: readonly string[], body = '') => `${lines.join('\r\n')}\r\n\r\n${body}`
  const auth = () => `Authorization: Bearer ${key.value}`
  const hostile: [string, () => string][] = [
    [
      'Content-Length beside Transfer-Encoding',
      () =>
        head(
          ['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Content-Length: 4', 'Transfer-Encoding: chunked'],
          '0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: shop.test\r\n\r\n',
        ),
    ],
    [
      'two Content-Length lines',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Content-Length: 1', 'Content-Length: 2'], 'ab'),
    ],
    [
      'a Content-Length with a sign',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Content-Length: +1'], 'a'),
    ],
    [
      'a list as Content-Length',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Content-Length: 1, 1'], 'a'),
    ],
    [
      'an unknown Transfer-Encoding',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Transfer-Encoding: xchunked'], '0\r\n\r\n'),
    ],
    [
      'gzip, chunked',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
    ],
    [
      'Transfer-Encoding in HTTP/1.0',
      () => head(['POST / HTTP/1.0', 'Host: shop.test', auth(), 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    ],
    [
      'a chunk size that is none',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Transfer-Encoding: chunked'], 'zz\r\nab\r\n0\r\n\r\n'),
    ],
    ['two Host lines', () => head(['GET / HTTP/1.1', 'Host: shop.test', 'Host: plain.test', auth()])],
    ['no Host', () => head(['GET / HTTP/1.1', auth()])],
    ['absolute form', () => head(['GET http://plain.test/ HTTP/1.1', 'Host: shop.test', auth()])],
    ['asterisk form', () => head(['OPTIONS * HTTP/1.1', 'Host: shop.test', auth()])],
    ['a folded header', () => head(['GET / HTTP/1.1', 'Host: shop.test', 'X-A: 1', ' folded', auth()])],
    ['a space before the colon', () => head(['GET / HTTP/1.1', 'Host : shop.test', auth()])],
    ['a NUL in a header', () => head(['GET / HTTP/1.1', 'Host: shop.test', 'X-A: a\0b', auth()])],
    ['a bare line feed', () => `GET / HTTP/1.1\nHost: shop.test\n${auth()}\n\n`],
    ['a bare carriage return', () => head(['GET / HTTP/1.1', 'Host: shop.test', 'X-A: a\rX-B: b', auth()])],
    ['a space in the target', () => head(['GET /a b HTTP/1.1', 'Host: shop.test', auth()])],
    ['a wrong version', () => head(['GET / HTTP/3.0', 'Host: shop.test', auth()])],
    ['a method that is none', () => head(['G(T / HTTP/1.1', 'Host: shop.test', auth()])],
    ['TRACE', () => head(['TRACE / HTTP/1.1', 'Host: shop.test', auth()])],
    ['CONNECT', () => head(['CONNECT shop.test:443 HTTP/1.1', 'Host: shop.test', auth()])],
    [
      '101 headers',
      () => head(['GET / HTTP/1.1', 'Host: shop.test', ...Array.from({ length: 100 }, (_, i) => `X-${i}: 1`), auth()]),
    ],
    [
      '1,200 headers before the credential',
      () =>
        head(['GET / HTTP/1.1', 'Host: shop.test', ...Array.from({ length: 1_200 }, (_, i) => `X-${i}: 1`), auth()]),
    ],
    ['a head of 20 KiB', () => head(['GET / HTTP/1.1', 'Host: shop.test', `X-A: ${'a'.repeat(20_480)}`, auth()])],
    ['a target of 9 KiB', () => head([`GET /${'a'.repeat(9_000)} HTTP/1.1`, 'Host: shop.test', auth()])],
    [
      'an expectation that is none',
      () => head(['POST / HTTP/1.1', 'Host: shop.test', auth(), 'Expect: 200-ok', 'Content-Length: 1'], 'a'),
    ],
    ['text that is no HTTP', () => 'hello\r\n\r\n'],
    ['TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'.padEnd(64, '\0')],
  ]

  it.each(hostile)('%s reaches no upstream, and nothing behind it either', async (_, bytes) => {
    const answers = await exchange(
      server.gatewayPort,
      `${bytes()}GET /behind HTTP/1.1\r\nHost: shop.test\r\n${auth()}\r\n\r\n`,
    )
    expect(answers.length).toBeLessThanOrEqual(1)
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(answer.body).toMatchObject({ status: answer.status, request_id: expect.stringMatching(/^req_/) })
      expect(answer.text).not.toContain(key.value)
    }
    expect(server.upstream.seen).toEqual([])
  })

  it('gives each of two pipelined requests its own answer', async () => {
    const one = (path: string, last: boolean) =>
      head([`GET ${path} HTTP/1.1`, 'Host: shop.test', auth(), ...(last ? ['Connection: close'] : [])])
    const answers = await exchange(server.gatewayPort, one('/first', false) + one('/second', true))
    expect(answers.map(({ body }) => body.target)).toEqual(['/first', '/second'])
  })

  it('lets no spelling of an identity header through (60), none that Connection names away (61)', async () => {
    const spellings = [
      'X-Postern-Account',
      'x-postern-account',
      'X_Postern_Account',
      'X.Postern.Account',
      'X-POSTERN-ACCOUNT',
      'X-Postern_Account',
      'X-Postern-Anything',
    ]
    const answer = await request(server.gatewayPort, {
      headers: [bearer(key.value), ...spellings.map((name) => [name, 'acc_evil'] as const)],
    })
    expect(answer.status).toBe(200)
    expect(JSON.stringify(server.upstream.seen)).not.toContain('acc_evil')
    expect(lastHeader('x-postern-account')).toEqual([account.id])
    const bytes = head([
      'GET / HTTP/1.1',
      'Host: shop.test',
      auth(),
      'Connection: close, X-Postern-Account, X-Forwarded-For, Authorization, Host',
    ])
    await exchange(server.gatewayPort, bytes)
    expect(lastHeader('x-postern-account')).toEqual([account.id])
    expect(lastHeader('x-forwarded-for')).toEqual(['127.0.0.1'])
  })

  it('tells the upstream all ten, empty where there is no value', async () => {
    await request(server.gatewayPort, { headers: [bearer(key.value)] })
    const names = [
      'credential',
      'kind',
      'account',
      'project',
      'environment',
      'api',
      'scopes',
      'subject',
      'grant',
      'request',
    ]
    expect(names.map((name) => lastHeader(`x-postern-${name}`).length)).toEqual(names.map(() => 1))
    expect([lastHeader('x-postern-subject'), lastHeader('x-postern-grant'), lastHeader('x-postern-scopes')]).toEqual([
      [''],
      [''],
      [''],
    ])
  })
})
