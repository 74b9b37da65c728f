import { createHmac, type KeyObject } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import type { JwsAlgorithm } from '../jose/algorithms.ts'
import { aSigner, encoded, signatureOf, type Signer } from '../jose/testing/signer.ts'
import { noon } from '../testing/world.ts'
import type { JwtVerdict } from '../tokens/jwt-verifier.ts'
import type { Issuer } from './issuer.ts'
import { anIssuer, anIssuerApi, anIssuerWorld, issuerUrl, theClaims } from './testing/issuer.ts'

const signer = aSigner('k1')
const rsa = aSigner('r1', 'RS256')
const now = noon / 1_000

const malformed = (reason: string) => ({ kind: 'refused', code: 'credential_malformed', reason })
const unknown = (reason: string) => ({ kind: 'refused', code: 'credential_unknown', reason })

async function verdict(
  text: string,
  issuer: Partial<Issuer> = {},
  signers: readonly Signer[] = [signer, rsa],
): Promise<JwtVerdict> {
  return await anIssuerWorld({ issuers: [anIssuer(issuer)], signers }).settled(text)
}

const ofClaims = (claims: Readonly<Record<string, unknown>>, issuer: Partial<Issuer> = {}) =>
  verdict(signer.sign(theClaims(claims)), issuer)

/** The token of a good verdict, its map of scopes as an object. */
function tokenOf(good: JwtVerdict) {
  if (good.kind !== 'foreign') throw new Error(JSON.stringify(good))
  return { ...good.token, scopesByApi: Object.fromEntries(good.token.scopesByApi) }
}

describe('a JWT of a declared issuer (CRC-4, statement 40)', () => {
  it('is who its claims say, within what is declared', async () => {
    expect(tokenOf(await ofClaims({}))).toEqual({
      issuer: 'corp',
      credential: 'cred_0000000000aa',
      subject: 'corp:alice',
      scopesByApi: { shop: ['orders.read'] },
      notBefore: noon - 30_000,
      expiresAt: noon + 600_000 + 30_000,
    })
  })

  it.each<[JwsAlgorithm]>([['ES256'], ['ES384'], ['ES512'], ['RS256'], ['RS512'], ['PS256'], ['EdDSA'], ['Ed25519']])(
    'may be signed with %s where that is declared, and with nothing else',
    async (algorithm) => {
      const one = aSigner('k1', algorithm)
      const token = one.sign(theClaims())
      expect(await verdict(token, { algorithms: new Set([algorithm]) }, [one])).toMatchObject({ kind: 'foreign' })
      expect(await verdict(token, { algorithms: new Set(['RS384']) }, [one])).toEqual(unknown('algorithm'))
    },
  )

  it('may be signed by any key of the set that has its id', async () => {
    const other = aSigner('k1')
    const token = other.sign(theClaims())
    expect(await verdict(token, {}, [signer, other])).toMatchObject({ kind: 'foreign' })
    expect(await verdict(token, {}, [signer])).toEqual(unknown('signature'))
  })

  it('says its type as it is written, in any case, with application/ before it or not', async () => {
    const typed = (typ: unknown, types: Issuer['types']) => verdict(signer.sign(theClaims(), { typ }), { types })
    const access: Issuer['types'] = new Set(['at+jwt'])
    const any: Issuer['types'] = new Set(['JWT'])
    for (const typ of ['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/at+JWT'])
      expect([typ, (await typed(typ, access)).kind]).toEqual([typ, 'foreign'])
    for (const typ of [
      'JWT',
      undefined,
      '',
      'at+jwt ',
      'application/',
      'id+jwt',
      'logout+jwt',
      'dpop+jwt',
      'secevent+jwt',
      7,
      null,
      ['at+jwt'],
    ])
      expect([typ, await typed(typ, access)]).toEqual([typ, unknown('type')])
    for (const typ of ['JWT', 'jwt', 'application/jwt'])
      expect([typ, (await typed(typ, any)).kind]).toEqual([typ, 'foreign'])
    for (const typ of ['at+jwt', undefined]) expect([typ, await typed(typ, any)]).toEqual([typ, unknown('type')])
    expect(await typed(undefined, new Set(['absent']))).toMatchObject({ kind: 'foreign' })
    expect(await typed('JWT', new Set(['absent']))).toEqual(unknown('type'))
  })

  it('is refused where it is an ID token, or another that is for somebody else, even where any JWT is taken', async () => {
    const types: Issuer['types'] = new Set(['JWT', 'at+jwt'])
    for (const name of ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'])
      for (const typ of ['JWT', 'at+jwt'])
        expect(await verdict(signer.sign(theClaims({ [name]: 'x' }), { typ }), { types })).toEqual(
          unknown('another kind of token, such as an ID token'),
        )
  })

  it('is of the issuer byte for byte', async () => {
    for (const iss of [
      `${issuerUrl}/`,
      issuerUrl.toUpperCase(),
      'https://login.corp.example:443',
      'http://login.corp.example',
      'https://login.cοrp.example',
      ` ${issuerUrl}`,
      `${issuerUrl}\u0000`,
      '',
      '__proto__',
    ])
      expect([iss, await ofClaims({ iss })]).toEqual([iss, unknown('issuer not declared')])
    for (const iss of [undefined, null, 7, [issuerUrl], { issuer: issuerUrl }])
      expect([iss, await ofClaims({ iss })]).toEqual([iss, unknown('no issuer')])
  })

  it('is verified with the keys of its own issuer alone', async () => {
    const other = aSigner('k1')
    const world = anIssuerWorld({
      issuers: [
        anIssuer(),
        anIssuer({ id: 'other', issuer: 'https://other.example', jwksUri: new URL('https://other.example/keys') }),
      ],
      answer: ({ url }) => ({
        kind: 'answered',
        status: 200,
        header: () => null,
        body: JSON.stringify({ keys: [(url.host === 'other.example' ? other : signer).jwk] }),
        cut: false,
      }),
    })
    const claims = { ours: theClaims(), others: theClaims({ iss: 'https://other.example' }) }
    expect(await world.settled(signer.sign(claims.ours))).toMatchObject({ kind: 'foreign', token: { issuer: 'corp' } })
    expect(await world.settled(other.sign(claims.others))).toMatchObject({
      kind: 'foreign',
      token: { subject: 'other:alice' },
    })
    expect(await world.settled(other.sign(claims.ours))).toEqual(unknown('signature'))
    expect(await world.settled(signer.sign(claims.others))).toEqual(unknown('signature'))
  })

  it('carries at each API what its audience, scopes and roles stand for there', async () => {
    const apis: Issuer['apis'] = new Map([
      ['shop', anIssuerApi()],
      [
        'billing',
        anIssuerApi({
          audience: new Set(['billing', 'bills']),
          scopes: new Map([['read', ['bills.read']]]),
          roles: new Map(),
        }),
      ],
    ])
    const scopes = async (claims: Readonly<Record<string, unknown>>) =>
      tokenOf(await ofClaims(claims, { apis })).scopesByApi
    const shop = 'https://api.example.com'
    expect(await scopes({ aud: ['x', shop] })).toEqual({ shop: ['orders.read'] })
    expect(await scopes({ aud: [shop, 'bills'] })).toEqual({ shop: ['orders.read'], billing: ['bills.read'] })
    expect(await scopes({ aud: 'bills', roles: ['clerk'] })).toEqual({ billing: ['bills.read'] })
    // Good, but for none of ours: its holder is told of the audience.
    for (const aud of ['x', [], undefined, `${shop}/`, 'shop', '', [`${shop} bills`]])
      expect(await scopes({ aud })).toEqual({})
    expect(await scopes({ scope: 'read all unheard', roles: 'clerk' })).toEqual({
      shop: ['orders.read', 'refunds.write'],
    })
    expect(await scopes({ scope: ['all', 'read'] })).toEqual({ shop: ['orders.read', 'refunds.write'] })
    expect(await scopes({ scope: undefined, roles: ['clerk', 'boss'] })).toEqual({ shop: ['orders.read'] })
    for (const scope of [
      '',
      '*',
      'orders.read',
      'READ',
      ' ',
      'read\u00a0all',
      '__proto__ constructor',
      [],
      ['read all'],
    ])
      expect([scope, await scopes({ scope, roles: [] })]).toEqual([scope, { shop: [] }])
    expect(await scopes({ scope: undefined, roles: 'clerk boss' })).toEqual({ shop: [] })
  })

  it('may have its claims inside of others', async () => {
    const nested = { rolesClaim: ['realm_access', 'roles'], subject: ['https://corp.example/user', 'id'] }
    const claims = {
      sub: undefined,
      scope: '',
      realm_access: { roles: ['clerk'] },
      'https://corp.example/user': { id: 'u7' },
    }
    expect(tokenOf(await ofClaims(claims, nested))).toMatchObject({
      subject: 'corp:u7',
      scopesByApi: { shop: ['orders.read'] },
    })
    for (const realm_access of [undefined, null, 'roles', ['clerk'], { Roles: ['clerk'] }, '{"roles":["clerk"]}'])
      expect(tokenOf(await ofClaims({ ...claims, realm_access }, nested)).scopesByApi).toEqual({ shop: [] })
  })

  it('has times that are numbers, and an end', async () => {
    const wrong: [Readonly<Record<string, unknown>>, string][] = [
      [{ exp: undefined }, 'no expiry'],
      ...[String(now + 600), null, true, [now + 600], {}]
        .map((exp): [object, string] => [{ exp }, 'no expiry'])
        .map(([claims, why]): [Readonly<Record<string, unknown>>, string] => [{ ...claims }, why]),
      [{ nbf: String(now) }, 'a time that is no number'],
      [{ nbf: null }, 'a time that is no number'],
      [{ iat: '2026-11-23' }, 'a time that is no number'],
    ]
    for (const [claims, reason] of wrong) expect([claims, await ofClaims(claims)]).toEqual([claims, unknown(reason)])
    const texts = ['1e999', '-1e999', '"1"', 'NaN', '0x7f', '1_000', '01']
    for (const exp of texts) {
      const payload = JSON.stringify(theClaims({ exp: 'EXP' })).replace('"EXP"', exp)
      const found = await verdict(signer.signTexts(JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' }), payload))
      expect([exp, found.kind]).toEqual([exp, 'refused'])
    }
    const times = async (claims: Readonly<Record<string, unknown>>, issuer: Partial<Issuer> = {}) => {
      const { notBefore, expiresAt } = tokenOf(await ofClaims(claims, { clockSkewMs: 0, ...issuer }))
      return [(notBefore - noon) / 1_000, (expiresAt - noon) / 1_000]
    }
    expect(await times({ exp: now + 1.5 })).toEqual([0, 1.5])
    // What is over, or is not yet, is for the checks that tell its holder.
    expect(await times({ exp: now - 1 })).toEqual([0, -1])
    expect(await times({ exp: -1, iat: undefined })).toEqual([-Infinity, -now - 1])
    expect(await times({ nbf: now + 60 })).toEqual([60, 600])
    expect(await times({ nbf: now - 60, iat: now + 5 })).toEqual([5, 600])
    expect(await times({ exp: 1e15 })).toEqual([0, 1e15 - now])
    expect(await times({ nbf: now + 60 }, { clockSkewMs: 5_000 })).toEqual([55, 605])
  })

  it('is as old as is declared at most, whatever its end is', async () => {
    const end = async (claims: Readonly<Record<string, unknown>>) =>
      (tokenOf(await ofClaims(claims, { maxAgeMs: 300_000, clockSkewMs: 0 })).expiresAt - noon) / 1_000
    expect(await end({})).toBe(300)
    expect(await end({ iat: now - 299 })).toBe(1)
    expect(await end({ iat: now - 10, exp: now + 20 })).toBe(20)
    expect(await ofClaims({ iat: undefined }, { maxAgeMs: 300_000 })).toEqual(unknown('no time of issue'))
  })

  it('names its subject in visible ASCII, since it stands in a header (32, 44)', async () => {
    for (const sub of ['a', 'a|b@c.example', '~'.repeat(255)])
      expect(tokenOf(await ofClaims({ sub })).subject).toBe(`corp:${sub}`)
    for (const sub of [
      undefined,
      null,
      '',
      7,
      ['a'],
      { a: 1 },
      'a b',
      'a\r\nX-Postern-Scopes: *',
      'a\u0000',
      'ä',
      '\u202ea',
      'a'.repeat(256),
    ])
      expect([sub, await ofClaims({ sub })]).toEqual([sub, unknown('no subject of up to 255 visible characters')])
  })

  it('has claims of the types that they have', async () => {
    for (const aud of [7, null, { a: 1 }, [7], ['https://api.example.com', null], [['https://api.example.com']]])
      expect([aud, await ofClaims({ aud })]).toEqual([aud, unknown('an audience that is no text')])
    for (const scope of [7, null, { read: true }, ['read', 7], [['read']]])
      expect([scope, await ofClaims({ scope })]).toEqual([scope, unknown('scopes or roles that are no texts')])
    for (const roles of [7, null, { clerk: true }, ['clerk', 7]])
      expect([roles, await ofClaims({ roles })]).toEqual([roles, unknown('scopes or roles that are no texts')])
  })

  it('has the claims that are required', async () => {
    const issuer: Partial<Issuer> = {
      requiredClaims: [
        { claim: ['tenant'], values: new Set(['acme']) },
        { claim: ['client_id'], values: new Set(['nightly', 'batch']) },
      ],
    }
    expect(await ofClaims({ tenant: 'acme' }, issuer)).toMatchObject({ kind: 'foreign' })
    expect(await ofClaims({ tenant: ['other', 'acme'], client_id: 'batch' }, issuer)).toMatchObject({ kind: 'foreign' })
    for (const tenant of [undefined, 'other', 'ACME', '', 7, null, {}, ['other'], [7, 'acme']])
      expect([tenant, await ofClaims({ tenant }, issuer)]).toEqual([
        tenant,
        unknown('the claim tenant is not as required'),
      ])
    expect(await ofClaims({ tenant: 'acme', client_id: 'web' }, issuer)).toEqual(
      unknown('the claim client_id is not as required'),
    )
  })
})

describe('a JWT that is an attack (security 38)', () => {
  const hmac = (secret: string | Buffer, header: Readonly<Record<string, unknown>>) => {
    const signed = `${encoded(JSON.stringify({ kid: 'r1', typ: 'at+jwt', ...header }))}.${encoded(JSON.stringify(theClaims()))}`
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  }
  const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' })

  it('without a signature is none', async () => {
    const [header, payload] = signer.sign(theClaims()).split('.')
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
      const head = encoded(JSON.stringify({ alg, kid: 'k1', typ: 'at+jwt' }))
      expect(await verdict(`${head}.${payload}.`)).toEqual(malformed('not signed'))
      expect(await verdict(`${head}.${payload}.AAAA`)).toEqual(unknown('algorithm'))
    }
    expect(await verdict(`${header}.${payload}.`)).toEqual(malformed('not signed'))
    expect(await verdict(`${header}.${payload}`)).toEqual(malformed('not three parts'))
  })

  it('signed with the public key as if it were a shared secret is refused', async () => {
    const { createPublicKey } = await import('node:crypto')
    const key = createPublicKey(rsa.privateKey)
    for (const secret of [pem(key), String(pem(key)).trim(), JSON.stringify(rsa.jwk), String(rsa.jwk.n)])
      for (const alg of ['HS256', 'hs256']) expect(await verdict(hmac(secret, { alg }))).toEqual(unknown('algorithm'))
    expect(await verdict(hmac(pem(key), { alg: 'RS256' }))).toEqual(unknown('signature'))
  })

  it('of one algorithm under the name of another is refused', async () => {
    const every: Partial<Issuer> = { algorithms: new Set(['ES256', 'ES384', 'RS256', 'PS256', 'RS384', 'EdDSA']) }
    for (const alg of ['PS256', 'RS384', 'ES384', 'EdDSA'])
      expect([alg, await verdict(rsa.sign(theClaims(), { alg }), every)]).toEqual([alg, unknown('signature')])
    expect(await verdict(signer.sign(theClaims(), { kid: 'r1' }))).toEqual(unknown('signature'))
    for (const alg of [
      'ES256K',
      'RSA1_5',
      'A128KW',
      'dir',
      'RS1',
      'es256',
      'ES256 ',
      256,
      null,
      ['ES256'],
      undefined,
      'constructor',
    ])
      expect([alg, await verdict(signer.sign(theClaims(), { alg }), every)]).toEqual([alg, unknown('algorithm')])
  })

  it('with a key id that is a path, a query, a URL or no text finds no key', async () => {
    for (const kid of [
      '../../etc/passwd',
      '/dev/null',
      "' OR 1=1 --",
      'https://evil.example/key',
      'k1\u0000',
      'K1',
      ' k1',
      '__proto__',
      'constructor',
      'k'.repeat(4_000),
    ])
      expect([kid, await verdict(signer.sign(theClaims(), { kid }))]).toEqual([kid, unknown('key id not known')])
    for (const kid of [undefined, '', 7, null, ['k1'], { kid: 'k1' }])
      expect([kid, await verdict(signer.sign(theClaims(), { kid }))]).toEqual([kid, unknown('no key id')])
  })

  it('that brings its key, or says where one is, is refused, and nothing is fetched from there', async () => {
    const evil = aSigner('evil')
    const world = anIssuerWorld({ signers: [signer] })
    await world.settled(signer.sign(theClaims()))
    const carried = [
      { jwk: evil.jwk },
      { jku: 'https://evil.example/keys' },
      { x5u: 'https://evil.example/cert' },
      { x5c: ['MIIB'] },
      { jku: 'https://login.corp.example/keys' },
      { jwk: null },
    ]
    for (const header of carried)
      for (const one of [evil, signer])
        expect(await world.settled(one.sign(theClaims(), header))).toEqual(
          unknown('a key of its own, or where to find one'),
        )
    expect(await world.settled(evil.sign(theClaims({ jwks_uri: 'https://evil.example/keys' })))).toEqual(
      unknown('key id not known'),
    )
    expect(world.asked.map(({ url }) => url.href)).toEqual(['https://login.corp.example/keys'])
  })

  it('with an extension that is not understood is refused (RFC 7515, section 4.1.11; RFC 7797)', async () => {
    for (const header of [
      { crit: ['exp'], exp: now },
      { crit: [] },
      { crit: ['b64'], b64: false },
      { b64: false },
      { b64: true },
      { zip: 'DEF' },
      { enc: 'A128GCM' },
      { crit: null },
    ])
      expect([header, await verdict(signer.sign(theClaims(), header))]).toEqual([
        header,
        unknown('an extension that is not understood'),
      ])
    const head = encoded(JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', b64: false, crit: ['b64'] }))
    const payload = JSON.stringify(theClaims())
    const signature = signatureOf('ES256', `${head}.${payload}`, signer.privateKey).toString('base64url')
    expect(await verdict(`${head}.${payload}.${signature}`)).toMatchObject({ code: 'credential_malformed' })
  })

  it('that is encrypted is none', async () => {
    const head = encoded(JSON.stringify({ alg: 'RSA-OAEP', enc: 'A128GCM', kid: 'r1', zip: 'DEF' }))
    expect(await verdict(`${head}.AAAA.AAAA.AAAA.AAAA`)).toEqual(malformed('encrypted, not signed'))
  })

  it('in another serialization is none', async () => {
    const [protect, payload, signature] = signer.sign(theClaims()).split('.')
    expect(await verdict(JSON.stringify({ protected: protect, payload, signature }))).toMatchObject({
      code: 'credential_malformed',
    })
    expect(await verdict(JSON.stringify({ payload, signatures: [{ protected: protect, signature }] }))).toMatchObject({
      code: 'credential_malformed',
    })
  })

  it('with a part that has another spelling is none, so that one signature is one text', async () => {
    const token = signer.sign(theClaims())
    const last = token.at(-1) ?? ''
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // 64 bytes end in two characters, the last of which has four bits that nobody reads.
    const others = alphabet
      .split('')
      .filter((letter) => letter !== last && (alphabet.indexOf(letter) ^ alphabet.indexOf(last)) < 16)
    expect(others).toHaveLength(15)
    for (const letter of others)
      expect(await verdict(token.slice(0, -1) + letter)).toEqual(malformed('not plain base64url'))
    for (const text of [
      `${token}=`,
      `${token}==`,
      `${token} `,
      `${token}\n`,
      token.replace('.', '=.'),
      token.replaceAll('-', '+').replaceAll('_', '/'),
    ])
      if (text !== token) expect(await verdict(text)).toMatchObject({ code: 'credential_malformed' })
  })

  it('with a signature that is cut, longer, empty of value or in DER is refused', async () => {
    const [header = '', payload = '', signature = ''] = signer.sign(theClaims()).split('.')
    const bytes = Buffer.from(signature, 'base64url')
    const { sign } = await import('node:crypto')
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    for (const [what, other] of [
      ['cut', bytes.subarray(0, 63)],
      ['half', bytes.subarray(0, 32)],
      ['longer', Buffer.concat([bytes, Buffer.alloc(1)])],
      ['doubled', Buffer.concat([bytes, bytes])],
      ['zero', Buffer.alloc(64)],
      ['s zero', Buffer.concat([bytes.subarray(0, 32), Buffer.alloc(32)])],
      ['the order', Buffer.concat([order, order])],
      ['DER', sign('sha256', Buffer.from(`${header}.${payload}`), signer.privateKey)],
    ] as const)
      expect([what, await verdict(`${header}.${payload}.${other.toString('base64url')}`)]).toEqual([
        what,
        unknown('signature'),
      ])
    const [h = '', p = '', s = ''] = rsa.sign(theClaims()).split('.')
    const rsaBytes = Buffer.from(s, 'base64url')
    for (const other of [rsaBytes.subarray(0, 255), Buffer.concat([Buffer.alloc(1), rsaBytes]), Buffer.alloc(256, 255)])
      expect(await verdict(`${h}.${p}.${other.toString('base64url')}`)).toEqual(unknown('signature'))
  })

  it('with the other s of its ECDSA signature is the same claims, and another text of its own', async () => {
    const token = signer.sign(theClaims())
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const dot = token.lastIndexOf('.')
    const bytes = Buffer.from(token.slice(dot + 1), 'base64url')
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const other = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
    const twin = `${token.slice(0, dot + 1)}${Buffer.concat([bytes.subarray(0, 32), other]).toString('base64url')}`
    const world = anIssuerWorld({ signers: [signer] })
    expect(await world.settled(token)).toMatchObject({ kind: 'foreign' })
    // It is not known by its twin: each text is verified by itself.
    expect([world.known(twin), world.known(token)?.kind]).toEqual([null, 'foreign'])
    expect(world.verify(twin)).toEqual(world.verify(token))
  })

  it('with a name twice, in whatever spelling and depth, is none', async () => {
    const head = JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    const claims = JSON.stringify(theClaims())
    for (const [header, payload] of [
      [head, claims.replace('{', '{"iss":"https://login.corp.example",')],
      [head, claims.replace('{', '{"\\u0065xp":1,')],
      [head, claims.replace('}', ',"scope":"all"}')],
      [head, claims.replace('}', ',"a":{"b":1,"b":2}}')],
      [head.replace('{', '{"alg":"none",'), claims],
      [head.replace('}', ',"kid":"k2"}'), claims],
    ] as const)
      expect(await verdict(signer.signTexts(header, payload))).toEqual(malformed('not plain JSON objects'))
  })

  it('that is nested deeply, too long, or no object is none', async () => {
    const head = JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    const deep = (depth: number) =>
      JSON.stringify(theClaims()).replace('}', `,"a":${'['.repeat(depth)}${']'.repeat(depth)}}`)
    expect(await verdict(signer.signTexts(head, deep(31)))).toMatchObject({ kind: 'foreign' })
    expect(await verdict(signer.signTexts(head, deep(32)))).toEqual(malformed('not plain JSON objects'))
    expect(await verdict(signer.signTexts(head, deep(2_500)))).toEqual(malformed('not plain JSON objects'))
    for (const payload of ['', '7', 'null', '[]', '"a"', '\ufeff{}', 'eyJhIjoxfQ'])
      expect(await verdict(signer.signTexts(head, payload))).toEqual(malformed('not plain JSON objects'))
    expect(await verdict(signer.sign(theClaims({ a: 'a'.repeat(6_000) })))).toEqual(
      malformed('longer than 8192 characters'),
    )
  })

  it('with one bit changed anywhere is refused', async () => {
    const world = anIssuerWorld({ signers: [signer] })
    const token = signer.sign(theClaims())
    await world.settled(token)
    const passed: number[] = []
    for (let i = 0; i < token.length; i++) {
      const changed = `${token.slice(0, i)}${token[i] === 'B' ? 'C' : 'B'}${token.slice(i + 1)}`
      if ((await world.settled(changed)).kind !== 'refused') passed.push(i)
    }
    expect(passed).toEqual([])
  })
})

describe('our own JWTs', () => {
  const ours = 'https://console.example.com'
  const own = aSigner('own')
  const world = async (kids = ['own']) => {
    const { createPublicKey } = await import('node:crypto')
    const key = createPublicKey(own.privateKey)
    return anIssuerWorld({
      signers: [signer],
      own: { issuer: () => ours, keys: { verifier: (kid) => (kids.includes(kid) ? key : null) } },
    })
  }

  it('are found good by their signature alone: what they are, their row says', async () => {
    const { verify, known } = await world()
    const good = own.sign({ iss: ours, exp: 1 })
    expect([known(good), verify(good), known(good)]).toEqual([null, { kind: 'own' }, { kind: 'own' }])
  })

  it('are good no longer than their key is there, those verified before included (security 57)', async () => {
    const kids = ['own']
    const { verify, known } = await world(kids)
    const good = own.sign({ iss: ours })
    verify(good)
    kids.pop()
    expect([known(good), verify(good)]).toEqual([null, unknown('key id not known')])
  })

  it('are refused with another type, algorithm, key or signature', async () => {
    const { verify } = await world()
    const claims = { iss: ours }
    expect(verify(own.sign(claims, { typ: 'JWT' }))).toEqual(unknown('type'))
    expect(verify(own.sign(claims, { typ: undefined }))).toEqual(unknown('type'))
    expect(verify(own.sign(claims, { alg: 'RS256' }))).toEqual(unknown('algorithm'))
    expect(verify(own.sign(claims, { kid: 'k1' }))).toEqual(unknown('key id not known'))
    expect(verify(signer.sign(claims, { kid: 'own' }))).toEqual(unknown('signature'))
    expect(verify(own.sign(claims, { jwk: own.jwk }))).toEqual(unknown('a key of its own, or where to find one'))
    expect(verify(own.sign({ iss: `${ours}/` }))).toEqual(unknown('issuer not declared'))
    expect((await world([])).verify(own.sign(claims))).toEqual(unknown('key id not known'))
  })

  it('are not verified with the keys of another issuer, nor the other way round', async () => {
    const { settled } = await world()
    expect(await settled(signer.sign({ ...theClaims(), iss: ours }))).toEqual(unknown('key id not known'))
    expect(await settled(own.sign(theClaims()))).toEqual(unknown('key id not known'))
  })
})
