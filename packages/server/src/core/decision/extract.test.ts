import { describe, expect, it } from 'vitest'

import type { Place } from '../apis/api.ts'
import { aDeclaration, anApi, aPreset } from '../testing/declaration.ts'
import { aSecret } from '../testing/records.ts'
import { aWorld, lines, type Sent, theSecret, type World } from '../testing/world.ts'

const publicId = '000000000001'
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** How the credential of the world travels in each kind of place. */
const carriers = {
  bearer: { headers: lines(['Authorization', `Bearer ${theSecret}`]) },
  header: { headers: lines(['X-Api-Key', theSecret]) },
  query: { headers: [], target: `/v1/orders/7?api_key=${theSecret}` },
  basic: { headers: lines(['Authorization', basic(publicId, theSecret)]) },
  pair: { headers: lines(['X-App-Id', publicId], ['X-App-Token', theSecret]) },
} as const satisfies Record<string, Sent>

type Carrier = keyof typeof carriers
const names: readonly Carrier[] = ['bearer', 'header', 'query', 'basic', 'pair']

function together(first: Sent, second: Sent): Sent {
  const target = first.target ?? second.target ?? '/v1/orders/7'
  return { target, headers: [...(first.headers ?? []), ...(second.headers ?? [])] }
}

const world = aWorld()

function hintOf(sent: Sent, from: World = world): string | null {
  return from.evaluate(sent).refusal?.hint ?? null
}

describe('a credential', () => {
  it.each(names)('is found in its place: %s', (name) => {
    const { allowed, presented } = world.evaluate(carriers[name])
    expect(allowed).toBe(true)
    expect(presented?.place.in).toBe(name)
    expect([presented?.secret, presented?.publicId]).toEqual([
      theSecret,
      name === 'basic' || name === 'pair' ? publicId : null,
    ])
  })

  it.each(['Authorization', 'authorization', 'AUTHORIZATION'])(
    'is found whatever the case of the header name %s',
    (name) => {
      expect(world.code({ headers: lines([name, `Bearer ${theSecret}`]) })).toBe('allowed')
    },
  )

  it.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('is found whatever the case of the scheme %s', (scheme) => {
    expect(world.code({ headers: lines(['Authorization', `${scheme} ${theSecret}`]) })).toBe('allowed')
  })

  it.each(['x-api-key2', 'xx-api-key', 'x-api_key', 'x_api_key', 'api_key', '__proto__', 'constructor'])(
    'is not looked for in the header %s',
    (name) => {
      expect(world.code({ headers: lines([name, theSecret]) })).toBe('credential_missing')
    },
  )

  it('is missing where nothing was sent', () => {
    expect(world.code({ headers: [] })).toBe('credential_missing')
  })

  it('is looked for only where the API says', () => {
    const places: readonly Place[] = [{ in: 'header', name: 'x-key', accept: ['key'], kinds: null }]
    const strict = aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) })
    expect(names.map((name) => strict.code(carriers[name]))).toEqual(names.map(() => 'credential_missing'))
    expect(strict.code({ headers: lines(['X-Key', theSecret]) })).toBe('allowed')
  })
})

describe('more than one credential', () => {
  const couples = names.flatMap((first, i) => names.slice(i + 1).map((second) => [first, second] as const))

  it.each(couples)('is ambiguous: %s and %s', (first, second) => {
    expect(world.code(together(carriers[first], carriers[second]))).toBe('credential_ambiguous')
    expect(world.code(together(carriers[second], carriers[first]))).toBe('credential_ambiguous')
  })

  it.each([
    ['bearer', lines(['Authorization', 'Bearer other'])],
    ['header', lines(['x-api-key', 'other'])],
    ['basic', lines(['authorization', basic('other', 'other')])],
    ['pair', lines(['x-app-id', 'other'])],
    ['pair', lines(['x-app-token', 'other'])],
    ['pair', lines(['x-app-id', 'other'], ['x-app-token', 'other'])],
  ] as const)('is ambiguous where the header comes twice: %s and %j', (name, more) => {
    const { headers } = carriers[name]
    expect(world.code({ headers: [...headers, ...more] })).toBe('credential_ambiguous')
    expect(world.code({ headers: [...more, ...headers] })).toBe('credential_ambiguous')
  })

  it.each(names)('is ambiguous even where it is the same one twice: %s', (name) => {
    const { headers } = carriers[name]
    const target = name === 'query' ? `/v1/orders/7?api_key=${theSecret}&api_key=${theSecret}` : '/v1/orders/7'
    expect(world.code({ target, headers: [...headers, ...headers] })).toBe('credential_ambiguous')
  })

  it('is ambiguous in the query, however it is spelt', () => {
    expect(world.code({ headers: [], target: `/v1/orders/7?api_key=${theSecret}&%61pi_key=x` })).toBe(
      'credential_ambiguous',
    )
  })

  it('is ambiguous beside another scheme, where only one of them is looked at', () => {
    const places: readonly Place[] = [{ in: 'bearer', accept: ['key'], kinds: null }]
    const bearerOnly = aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) })
    const headers = lines(['Authorization', `Bearer ${theSecret}`], ['Authorization', 'Digest username="x"'])
    expect(bearerOnly.code({ headers })).toBe('credential_ambiguous')
  })

  it('is never the first one found: nothing of the request is decided by either', () => {
    const { allowed, principal, charge, refusal } = world.evaluate(together(carriers.header, carriers.pair))
    expect([allowed, principal, charge, refusal?.hint]).toEqual([false, null, null, null])
  })
})

describe('an empty place', () => {
  it.each([
    ['an empty header', carriers.bearer, lines(['X-Api-Key', ''])],
    ['an empty pair', carriers.header, lines(['X-App-Id', ''], ['X-App-Token', ''])],
    ['an empty Authorization', carriers.header, lines(['Authorization', ''])],
    ['an empty header beside a full one of the same name', carriers.header, lines(['X-Api-Key', ''])],
  ])('is absent: %s', (_, full, empty) => {
    expect(world.code({ headers: [...empty, ...full.headers] })).toBe('allowed')
    expect(world.code({ headers: empty })).toBe('credential_missing')
  })

  it('is absent in the query', () => {
    expect(world.code({ ...carriers.header, target: '/v1/orders/7?api_key=' })).toBe('allowed')
    expect(world.code({ headers: [], target: '/v1/orders/7?api_key=&api_key' })).toBe('credential_missing')
  })
})

describe('a credential is read exactly', () => {
  it.each([
    ['two spaces', `Bearer  ${theSecret}`],
    ['a space after it', `Bearer ${theSecret} `],
    ['a tab for the space', `Bearer\t${theSecret}`],
    ['a comma and another', `Bearer ${theSecret}, Bearer x`],
    ['quotes', `Bearer "${theSecret}"`],
    ['the scheme twice', `Bearer Bearer ${theSecret}`],
    ['no scheme', theSecret],
    ['no value', 'Bearer'],
    ['no value after the space', 'Bearer '],
    ['another case', `Bearer ${theSecret.toUpperCase()}`],
    ['a letter beyond ASCII', `Bearer ${theSecret}\u00e9`],
    ['a zero byte', `Bearer ${theSecret}\0`],
    ['a full-width letter', `Bearer \uff53${theSecret.slice(1)}`],
  ])('with %s it is another one or none', (_, value) => {
    expect(world.code({ headers: lines(['Authorization', value]) })).toMatch(/^credential_(malformed|unknown|missing)$/)
  })

  it('up to 1,024 characters, and not one more', () => {
    const long = 'k'.repeat(1024)
    const holder = aWorld({ credential: { secrets: [aSecret(long), aSecret(`${long}k`)] } })
    const headers = (secret: string) => ({ headers: lines(['X-Api-Key', secret]) })
    expect(holder.code(headers(long))).toBe('allowed')
    expect(holder.code(headers(`${long}k`))).toBe('credential_malformed')
    expect(holder.code(headers('k'.repeat(100_000)))).toBe('credential_malformed')
  })

  it.each(['__proto__', 'constructor', 'hasOwnProperty', 'toString'])(
    '%j is a secret and an id like any other',
    (text) => {
      const pair = { headers: lines(['X-App-Id', text], ['X-App-Token', text]) }
      expect(world.code({ headers: lines(['X-Api-Key', text]) })).toBe('credential_unknown')
      expect(world.code(pair)).toBe('credential_unknown')
      const holder = aWorld({ credential: { publicId: text, secrets: [aSecret(text)] } })
      expect(holder.code({ headers: lines(['X-Api-Key', text]) })).toBe('allowed')
      expect(holder.code(pair)).toBe('allowed')
    },
  )
})

describe('Basic', () => {
  const encoded = Buffer.from(`${publicId}:${theSecret}`).toString('base64')

  it('is tested with text whose last byte leaves bits over', () => {
    expect(encoded.slice(-4)).toBe('cA==')
  })

  it('takes the public id as user and the secret as password, which may hold colons', () => {
    const colons = aWorld({ credential: { secrets: [aSecret('a:b:c')] } })
    expect(colons.code({ headers: lines(['Authorization', basic(publicId, 'a:b:c')]) })).toBe('allowed')
  })

  it.each([
    ['without padding', encoded.replace('==', '')],
    ['with half its padding', encoded.replace('==', '=')],
    ['with too much padding', `${encoded}=`],
    ['with a line break', `${encoded.slice(0, 8)}\n${encoded.slice(8)}`],
    ['with a space in it', `${encoded.slice(0, 8)} ${encoded.slice(8)}`],
    ['of the URL alphabet', Buffer.from(`${publicId}:\u00ff\u00fe\u00fd`, 'latin1').toString('base64url')],
    ['with bits left over', encoded.replace('cA==', 'cB==')],
    ['with other characters', `${encoded}!`],
    ['of nothing', ''],
    ['without a colon', Buffer.from(theSecret).toString('base64')],
    ['without a user', Buffer.from(`:${theSecret}`).toString('base64')],
    ['without a password', Buffer.from(`${publicId}:`).toString('base64')],
    ['of bytes that are no UTF-8', Buffer.from([0x61, 0x3a, 0xff, 0xfe]).toString('base64')],
    ['with a control character', Buffer.from(`${publicId}:a\tb`).toString('base64')],
    ['with a space in the user', Buffer.from(`a b:${theSecret}`).toString('base64')],
  ])('is malformed %s', (_, value) => {
    expect(world.code({ headers: lines(['Authorization', `Basic ${value}`]) })).toBe('credential_malformed')
  })

  it('of another id is unknown', () => {
    expect(world.code({ headers: lines(['Authorization', basic('000000000002', theSecret)]) })).toBe(
      'credential_unknown',
    )
  })
})

describe('a pair', () => {
  it.each([
    ['id', lines(['X-App-Id', publicId])],
    ['secret', lines(['X-App-Token', theSecret])],
    ['id with an empty secret', lines(['X-App-Id', publicId], ['X-App-Token', ''])],
  ])('of which only the %s was sent is malformed', (_, headers) => {
    expect(world.code({ headers })).toBe('credential_malformed')
    expect(hintOf({ headers })).toBe('Of the two headers of this credential only one was sent.')
  })

  it('is needed whole where the preset takes pairs: the secret alone is unknown', () => {
    const api = anApi({ preset: aPreset({ form: 'pair' }) })
    const pairs = aWorld({ declaration: aDeclaration({ apis: [api] }) })
    expect(pairs.code(carriers.pair)).toBe('allowed')
    expect(pairs.code(carriers.header)).toBe('credential_unknown')
  })
})

describe('a place', () => {
  it('takes only the kinds that it names', () => {
    const places: readonly Place[] = [{ in: 'header', name: 'x-api-key', accept: ['key'], kinds: ['integration'] }]
    const declaration = aDeclaration({ apis: [anApi({ places })] })
    expect(aWorld({ declaration }).code()).toBe('kind_not_allowed')
    expect(aWorld({ declaration, credential: { kind: 'integration' } }).code()).toBe('allowed')
  })

  it('that takes tokens alone takes no key', () => {
    const places: readonly Place[] = [{ in: 'header', name: 'x-api-key', accept: ['token', 'jwt'], kinds: null }]
    expect(aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) }).code()).toBe('kind_not_allowed')
  })
})

describe('a recognised mistake is named', () => {
  it.each([
    [lines(['Authorization', theSecret]), 'The Authorization header has a value without a scheme before it.'],
    [lines(['Authorization', 'Digest x']), 'The Authorization header has a scheme that this API does not use.'],
    [lines(['Authorization', 'Bearer']), 'The Authorization header names a scheme, but no value follows it.'],
    [lines(['Authorization', `Bearer Bearer ${theSecret}`]), 'The word Bearer was sent twice.'],
    [lines(['X-Api-Key', `${theSecret} `]), 'There is a space or a line break at its start or end.'],
    [lines(['X-Api-Key', '$API_KEY']), 'It looks like a variable that the shell did not fill in.'],
    [lines(['X-Api-Key', '${API_KEY}']), 'It looks like a variable that the shell did not fill in.'],
    [lines(['X-Api-Key', '"quoted"']), 'It is in quotes.'],
    [lines(['X-Api-Key', 'YOUR_API_KEY']), 'It looks like a placeholder.'],
    [lines(['X-Api-Key', '<key>']), 'It looks like a placeholder.'],
    [
      lines(['X-Api-Key', 'acme_sk_live_short']),
      'Its prefix is ours, but its length or checksum is not: it may be cut off or mistyped.',
    ],
    [lines(['X-Api-Key', 'anything']), null],
    [[], null],
  ])('%j: %s', (headers, expected) => {
    expect(hintOf({ headers })).toBe(expected)
  })

  it('in the query, where the API takes none from there', () => {
    const places: readonly Place[] = [{ in: 'header', name: 'x-api-key', accept: ['key'], kinds: null }]
    const strict = aWorld({ declaration: aDeclaration({ apis: [anApi({ places })] }) })
    expect(hintOf({ headers: [], target: '/v1/orders/7?key=a' }, strict)).toBe(
      'This API takes no credential from the query.',
    )
    expect(hintOf({ headers: lines(['Authorization', 'Bearer a']) }, strict)).toBe(
      'This API does not look at the Authorization header.',
    )
  })
})
