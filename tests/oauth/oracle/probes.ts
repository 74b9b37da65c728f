import {
  challenge,
  redirectUri,
  resource,
  type Client,
  type ClientName,
  type Probe,
  type Seen,
  type Side,
  seen,
  verifier,
} from './side.ts'

type Pairs = readonly (readonly [string, string])[]

/** How a client proves itself in a request. */
type Proof =
  | 'basic'
  | 'body'
  | 'both'
  | 'none'
  | { readonly header: (client: Client) => string }
  | { readonly body: (client: Client) => Pairs }

interface Post {
  readonly client?: ClientName
  readonly proof?: Proof
  readonly params: Pairs
  readonly method?: string
  readonly contentType?: string
  /** Instead of the form. */
  readonly raw?: string
  readonly query?: string
}

type EndpointName = 'token' | 'introspect' | 'revoke'

async function post(side: Side, endpoint: EndpointName, of: Post): Promise<Seen> {
  return seen(side, await send(side, endpoint, of))
}

function send(side: Side, endpoint: EndpointName, of: Post): Promise<Response> {
  const { client: name = 'web', proof = 'basic', params, method = 'POST', raw, query = '' } = of
  const client = side.clients[name]
  const pairs = [...params, ...bodyProof(proof, client)]
  const authorization = headerProof(proof, client)
  const withBody = method !== 'GET' && method !== 'HEAD'
  return fetch(side.endpoints[endpoint] + query, {
    method,
    redirect: 'manual',
    headers: {
      ...(authorization !== null && { authorization }),
      ...(withBody && { 'content-type': of.contentType ?? 'application/x-www-form-urlencoded' }),
    },
    ...(withBody && { body: raw ?? encoded(pairs) }),
  })
}

function encoded(pairs: Pairs): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

function headerProof(proof: Proof, { id, secret }: Client): string | null {
  if (proof === 'basic' || proof === 'both') return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
  return typeof proof === 'object' && 'header' in proof ? proof.header({ id, secret }) : null
}

function bodyProof(proof: Proof, client: Client): Pairs {
  if (proof === 'body' || proof === 'both')
    return [
      ['client_id', client.id],
      ['client_secret', client.secret],
    ]
  return typeof proof === 'object' && 'body' in proof ? proof.body(client) : []
}

const publicProof: Proof = { body: ({ id }) => [['client_id', id]] }
const machineGrant = ['grant_type', 'client_credentials'] as const
const long = 'x'.repeat(5000)

// ---- client authentication ---------------------------------------------------------------------------------

const basicOf = (text: string): Proof => ({ header: () => `Basic ${Buffer.from(text).toString('base64')}` })

const proofs: readonly (readonly [string, Proof])[] = [
  ['by Basic', 'basic'],
  ['by body', 'body'],
  ['by Basic and body at once', 'both'],
  ['with none', 'none'],
  ['wrong secret by Basic', { header: ({ id }) => `Basic ${Buffer.from(`${id}:wrong`).toString('base64')}` }],
  [
    'wrong secret by body',
    {
      body: ({ id }) => [
        ['client_id', id],
        ['client_secret', 'wrong'],
      ],
    },
  ],
  ['unknown client by Basic', basicOf('nobody:secret')],
  [
    'unknown client by body',
    {
      body: () => [
        ['client_id', 'nobody'],
        ['client_secret', 'secret'],
      ],
    },
  ],
  ['empty secret by Basic', { header: ({ id }) => `Basic ${Buffer.from(`${id}:`).toString('base64')}` }],
  [
    'empty secret by body',
    {
      body: ({ id }) => [
        ['client_id', id],
        ['client_secret', ''],
      ],
    },
  ],
  ['empty id by Basic', basicOf(':secret')],
  ['Basic without colon', basicOf('nothing')],
  ['Basic that is no base64', { header: () => 'Basic !!!!' }],
  ['Basic without a value', { header: () => 'Basic' }],
  ['another scheme', { header: () => 'Digest abc' }],
  ['Bearer instead of Basic', { header: ({ secret }) => `Bearer ${secret}` }],
  ['id alone by body', publicProof],
  ['secret alone by body', { body: ({ secret }) => [['client_secret', secret]] }],
  [
    'id twice by body',
    {
      body: ({ id, secret }) => [
        ['client_id', id],
        ['client_id', id],
        ['client_secret', secret],
      ],
    },
  ],
  [
    'secret twice',
    {
      body: ({ id, secret }) => [
        ['client_id', id],
        ['client_secret', secret],
        ['client_secret', secret],
      ],
    },
  ],
  [
    "another client's id in the body beside Basic",
    { header: ({ id, secret }) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
  ],
  [
    'secret too long',
    {
      body: ({ id }) => [
        ['client_id', id],
        ['client_secret', long],
      ],
    },
  ],
  ['id too long', basicOf(`${long}:secret`)],
  [
    'id in another case',
    { header: ({ id, secret }) => `Basic ${Buffer.from(`${id.toUpperCase()}x:${secret}`).toString('base64')}` },
  ],
  [
    'secret with a trailing space',
    { header: ({ id, secret }) => `Basic ${Buffer.from(`${id}:${secret} `).toString('base64')}` },
  ],
  [
    'form-encoded Basic',
    {
      header: ({ id, secret }) =>
        `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
    },
  ],
]

const authentication: readonly Probe[] = (['token', 'introspect', 'revoke'] as const).flatMap((endpoint) =>
  proofs.map(([what, proof]): Probe => ({
    name: `${endpoint}: ${what}`,
    run: (side) =>
      post(side, endpoint, { proof, params: endpoint === 'token' ? [machineGrant] : [['token', 'unknown']] }),
  })),
)

// ---- client_credentials ------------------------------------------------------------------------------------

const machine: readonly (readonly [string, Post])[] = [
  ['one scope', { params: [machineGrant, ['scope', 'orders.read']] }],
  ['two scopes', { params: [machineGrant, ['scope', 'orders.read orders.write']] }],
  ['a scope twice', { params: [machineGrant, ['scope', 'orders.read orders.read']] }],
  ['the resource', { params: [machineGrant, ['resource', resource], ['scope', 'orders.read']] }],
  ['an unknown resource', { params: [machineGrant, ['resource', 'https://elsewhere.example']] }],
  ['a resource that is no URI', { params: [machineGrant, ['resource', 'shop']] }],
  ['a resource with a fragment', { params: [machineGrant, ['resource', `${resource}#x`]] }],
  ['two resources', { params: [machineGrant, ['resource', resource], ['resource', 'https://elsewhere.example']] }],
  ['grant_type twice', { params: [machineGrant, machineGrant] }],
  ['scope twice', { params: [machineGrant, ['scope', 'orders.read'], ['scope', 'orders.read']] }],
  ['no grant_type', { params: [] }],
  ['an empty grant_type', { params: [['grant_type', '']] }],
  ['an unknown grant_type', { params: [['grant_type', 'telepathy']] }],
  [
    'the password grant',
    {
      params: [
        ['grant_type', 'password'],
        ['username', 'a'],
        ['password', 'b'],
      ],
    },
  ],
  ['the implicit grant', { params: [['grant_type', 'implicit']] }],
  ['grant_type in another case', { params: [['grant_type', 'Client_Credentials']] }],
  ['an unknown parameter', { params: [machineGrant, ['colour', 'blue']] }],
  ['GET', { params: [], method: 'GET', query: '?grant_type=client_credentials' }],
  ['PUT', { params: [machineGrant], method: 'PUT' }],
  ['parameters in the query alone', { params: [], query: '?grant_type=client_credentials' }],
  ['text/plain', { params: [machineGrant], contentType: 'text/plain' }],
  ['multipart', { params: [], contentType: 'multipart/form-data; boundary=x', raw: '--x--\r\n' }],
  ['a body that is no form', { params: [], raw: '%%%=%%' }],
  ['an empty body', { params: [], raw: '' }],
  [
    'a form with a charset',
    { params: [machineGrant], contentType: 'application/x-www-form-urlencoded; charset=utf-8' },
  ],
  ['a client that may not', { client: 'native', proof: publicProof, params: [machineGrant] }],
  ['a machine client', { client: 'machine', params: [machineGrant] }],
]

const clientCredentials: readonly Probe[] = machine.map(([what, of]) => ({
  name: `client_credentials: ${what}`,
  run: (side) => post(side, 'token', of),
}))

// ---- authorization -----------------------------------------------------------------------------------------

type Asked = Readonly<Record<string, string | readonly string[] | null>>

/** A good request, changed: null takes a parameter away, a list sends it more than once. */
function authorizeUrl(side: Side, client: ClientName, changes: Asked = {}): string {
  const good: Asked = {
    client_id: side.clients[client].id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'orders.read orders.write',
    state: 'the state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource,
  }
  const pairs = Object.entries({ ...good, ...changes }).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : typeof value === 'string' ? [[name, value]] : value.map((each) => [name, each]),
  )
  return `${side.endpoints.authorize}?${encoded(pairs)}`
}

const asked: readonly (readonly [string, ClientName, Asked])[] = [
  ['good', 'web', {}],
  ['good, public', 'native', {}],
  ['a loopback port of its own', 'native', { redirect_uri: 'http://127.0.0.1:49152/cb' }],
  ['a loopback path of its own', 'native', { redirect_uri: 'http://127.0.0.1:49152/other' }],
  ['no client_id', 'web', { client_id: null }],
  ['an empty client_id', 'web', { client_id: '' }],
  ['an unknown client', 'web', { client_id: 'nobody' }],
  ['client_id twice', 'web', { client_id: ['a', 'b'] }],
  ['a redirect URI that is not registered', 'web', { redirect_uri: 'https://evil.example/cb' }],
  ['a redirect URI with a slash more', 'web', { redirect_uri: `${redirectUri}/` }],
  ['a redirect URI with a query', 'web', { redirect_uri: `${redirectUri}?x=1` }],
  ['a redirect URI with a fragment', 'web', { redirect_uri: `${redirectUri}#x` }],
  ['a redirect URI in another case', 'web', { redirect_uri: 'https://APP.example/CB' }],
  ['a redirect URI with a user', 'web', { redirect_uri: 'https://evil@app.example/cb' }],
  ['a redirect URI with a port', 'web', { redirect_uri: 'https://app.example:444/cb' }],
  ['a redirect URI with dots', 'web', { redirect_uri: 'https://app.example/x/../cb' }],
  ['a redirect URI over plain HTTP', 'web', { redirect_uri: 'http://app.example/cb' }],
  ['javascript:', 'web', { redirect_uri: 'javascript:alert(1)' }],
  ['an empty redirect URI', 'web', { redirect_uri: '' }],
  ['redirect_uri twice', 'web', { redirect_uri: [redirectUri, redirectUri] }],
  ['no response_type', 'web', { response_type: null }],
  ['an empty response_type', 'web', { response_type: '' }],
  ['response_type token', 'web', { response_type: 'token' }],
  ['response_type id_token', 'web', { response_type: 'id_token' }],
  ['response_type code token', 'web', { response_type: 'code token' }],
  ['response_type twice', 'web', { response_type: ['code', 'code'] }],
  ['no challenge', 'web', { code_challenge: null, code_challenge_method: null }],
  ['no challenge, public', 'native', { code_challenge: null, code_challenge_method: null }],
  ['an empty challenge', 'web', { code_challenge: '' }],
  ['a short challenge', 'web', { code_challenge: 'short' }],
  ['a challenge with other characters', 'web', { code_challenge: `${challenge.slice(0, 42)}+` }],
  ['plain', 'web', { code_challenge_method: 'plain' }],
  ['no method', 'web', { code_challenge_method: null }],
  ['an unknown method', 'web', { code_challenge_method: 'S512' }],
  ['challenge twice', 'web', { code_challenge: [challenge, challenge] }],
  ['an unknown scope', 'web', { scope: 'orders.read orders.destroy' }],
  ['scope twice', 'web', { scope: ['orders.read', 'orders.write'] }],
  ['state twice', 'web', { state: ['a', 'b'] }],
  ['no state', 'web', { state: null }],
  ['an unknown resource', 'web', { resource: 'https://elsewhere.example' }],
  ['a resource that is no URI', 'web', { resource: 'shop' }],
  ['two resources', 'web', { resource: [resource, 'https://elsewhere.example'] }],
  ['prompt none without a session', 'web', { prompt: 'none' }],
  ['prompt none and login', 'web', { prompt: 'none login' }],
  ['an unknown prompt', 'web', { prompt: 'dance' }],
  ['response_mode fragment', 'web', { response_mode: 'fragment' }],
  ['a request object', 'web', { request: 'a.b.c' }],
  ['a request by reference', 'web', { request_uri: 'https://evil.example/request' }],
  ['an unknown parameter', 'web', { colour: 'blue' }],
  ['a client that may not', 'machine', {}],
]

const authorization: readonly Probe[] = asked.map(([what, client, changes]) => ({
  name: `authorize: ${what}`,
  run: async (side) => seen(side, await fetch(authorizeUrl(side, client, changes), { redirect: 'manual' })),
}))

// ---- codes -------------------------------------------------------------------------------------------------

async function codeFor(side: Side, client: ClientName, changes: Asked = {}): Promise<string> {
  const end = await side.consent(
    authorizeUrl(side, client, {
      scope: `${side.besides}orders.read orders.write`,
      prompt: 'consent',
      ...changes,
    }),
  )
  const code = end.searchParams.get('code')
  if (code === null) throw new Error(`${side.name} sent no code: ${end.search}`)
  return code
}

function redemption(code: string, changes: Asked = {}): Pairs {
  const good: Asked = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
  return Object.entries({ ...good, ...changes }).flatMap(([name, value]): [string, string][] =>
    value === null ? [] : typeof value === 'string' ? [[name, value]] : value.map((each) => [name, each]),
  )
}

const redeemed: readonly (readonly [string, ClientName, Proof, Asked])[] = [
  ['good', 'web', 'basic', {}],
  ['good, by body', 'web', 'body', {}],
  ['good, public', 'native', publicProof, {}],
  ['no verifier', 'web', 'basic', { code_verifier: null }],
  ['a wrong verifier', 'web', 'basic', { code_verifier: 'w'.repeat(43) }],
  ['an empty verifier', 'web', 'basic', { code_verifier: '' }],
  ['a short verifier', 'web', 'basic', { code_verifier: 'short' }],
  ['a verifier too long', 'web', 'basic', { code_verifier: 'v'.repeat(129) }],
  ['the challenge as verifier', 'web', 'basic', { code_verifier: challenge }],
  ['verifier twice', 'web', 'basic', { code_verifier: [verifier, verifier] }],
  ['no redirect URI', 'web', 'basic', { redirect_uri: null }],
  ['another redirect URI', 'web', 'basic', { redirect_uri: 'https://evil.example/cb' }],
  ['no code', 'web', 'basic', { code: null }],
  ['an empty code', 'web', 'basic', { code: '' }],
  ['an unknown code', 'web', 'basic', { code: 'unknown' }],
  ['code twice', 'web', 'basic', { code: ['a', 'b'] }],
  ['an unknown resource', 'web', 'basic', { resource: 'https://elsewhere.example' }],
  ['the resource', 'web', 'basic', { resource }],
]

const codes: readonly Probe[] = [
  ...redeemed.map(([what, client, proof, changes]): Probe => ({
    name: `code: ${what}`,
    run: async (side) =>
      post(side, 'token', { client, proof, params: redemption(await codeFor(side, client), changes) }),
  })),
  {
    name: 'code: of another client',
    run: async (side) => post(side, 'token', { client: 'other', params: redemption(await codeFor(side, 'web')) }),
  },
  {
    name: 'code: of a public client, redeemed by a confidential one',
    run: async (side) => post(side, 'token', { client: 'web', params: redemption(await codeFor(side, 'native')) }),
  },
  {
    name: 'code: twice',
    run: async (side) => {
      const params = redemption(await codeFor(side, 'web'))
      await send(side, 'token', { params })
      return post(side, 'token', { params })
    },
  },
  {
    name: 'code: its access token after the second use',
    run: async (side) => {
      const params = redemption(await codeFor(side, 'web'))
      const { access_token: token = '' } = await bodyOf(send(side, 'token', { params }))
      await send(side, 'token', { params })
      return post(side, 'introspect', { params: [['token', token]] })
    },
  },
  {
    name: 'code: right after a wrong verifier',
    run: async (side) => {
      const code = await codeFor(side, 'web')
      await send(side, 'token', { params: redemption(code, { code_verifier: 'w'.repeat(43) }) })
      return post(side, 'token', { params: redemption(code) })
    },
  },
]

// ---- refresh, introspection, revocation --------------------------------------------------------------------

async function bodyOf(response: Promise<Response>): Promise<Record<string, string>> {
  return (await (await response).json()) as Record<string, string>
}

async function issued(side: Side, client: ClientName = 'web'): Promise<{ access: string; refresh: string }> {
  const proof = client === 'native' ? publicProof : 'basic'
  const answer = await bodyOf(send(side, 'token', { client, proof, params: redemption(await codeFor(side, client)) }))
  return { access: answer['access_token'] ?? '', refresh: answer['refresh_token'] ?? '' }
}

const refreshing = (refresh: string, ...more: Pairs): Pairs => [
  ['grant_type', 'refresh_token'],
  ['refresh_token', refresh],
  ...more,
]

const refresh: readonly Probe[] = [
  {
    name: 'refresh: good',
    run: async (side) => post(side, 'token', { params: refreshing((await issued(side)).refresh) }),
  },
  {
    name: 'refresh: good, public',
    run: async (side) =>
      post(side, 'token', {
        client: 'native',
        proof: publicProof,
        params: refreshing((await issued(side, 'native')).refresh),
      }),
  },
  {
    name: 'refresh: narrowed',
    run: async (side) =>
      post(side, 'token', { params: refreshing((await issued(side)).refresh, ['scope', 'orders.read']) }),
  },
  {
    name: 'refresh: widened',
    run: async (side) =>
      post(side, 'token', {
        params: refreshing((await issued(side)).refresh, ['scope', 'orders.read orders.destroy']),
      }),
  },
  {
    name: 'refresh: an unknown resource',
    run: async (side) =>
      post(side, 'token', {
        params: refreshing((await issued(side)).refresh, ['resource', 'https://elsewhere.example']),
      }),
  },
  {
    name: 'refresh: of another client',
    run: async (side) => post(side, 'token', { client: 'other', params: refreshing((await issued(side)).refresh) }),
  },
  {
    name: 'refresh: an access token',
    run: async (side) => post(side, 'token', { params: refreshing((await issued(side)).access) }),
  },
  { name: 'refresh: none', run: (side) => post(side, 'token', { params: [['grant_type', 'refresh_token']] }) },
  { name: 'refresh: an empty one', run: (side) => post(side, 'token', { params: refreshing('') }) },
  { name: 'refresh: an unknown one', run: (side) => post(side, 'token', { params: refreshing('unknown') }) },
  {
    name: 'refresh: twice in one request',
    run: (side) => post(side, 'token', { params: refreshing('a', ['refresh_token', 'b']) }),
  },
  {
    name: 'refresh: by a client that may not',
    run: (side) => post(side, 'token', { client: 'machine', params: refreshing('unknown') }),
  },
  {
    name: 'refresh: used again',
    run: async (side) => {
      const { refresh: token } = await issued(side)
      await send(side, 'token', { params: refreshing(token) })
      return post(side, 'token', { params: refreshing(token) })
    },
  },
  {
    name: 'refresh: after it was revoked',
    run: async (side) => {
      const { refresh: token } = await issued(side)
      await send(side, 'revoke', { params: [['token', token]] })
      return post(side, 'token', { params: refreshing(token) })
    },
  },
  {
    name: 'refresh: the access token after the refresh token was revoked',
    run: async (side) => {
      const { access, refresh: token } = await issued(side)
      await send(side, 'revoke', { params: [['token', token]] })
      return post(side, 'introspect', { params: [['token', access]] })
    },
  },
]

const looking: readonly Probe[] = (['introspect', 'revoke'] as const).flatMap((endpoint) => [
  { name: `${endpoint}: no token`, run: (side: Side) => post(side, endpoint, { params: [] }) },
  { name: `${endpoint}: an empty token`, run: (side: Side) => post(side, endpoint, { params: [['token', '']] }) },
  {
    name: `${endpoint}: token twice`,
    run: (side: Side) =>
      post(side, endpoint, {
        params: [
          ['token', 'a'],
          ['token', 'b'],
        ],
      }),
  },
  {
    name: `${endpoint}: GET`,
    run: (side: Side) => post(side, endpoint, { params: [], method: 'GET', query: '?token=a' }),
  },
  {
    name: `${endpoint}: token in the query`,
    run: (side: Side) => post(side, endpoint, { params: [], query: '?token=a' }),
  },
  {
    name: `${endpoint}: an unknown hint`,
    run: (side: Side) =>
      post(side, endpoint, {
        params: [
          ['token', 'a'],
          ['token_type_hint', 'colour'],
        ],
      }),
  },
  {
    name: `${endpoint}: a live access token`,
    run: async (side: Side) => post(side, endpoint, { params: [['token', (await issued(side)).access]] }),
  },
  {
    name: `${endpoint}: a live access token with the wrong hint`,
    run: async (side: Side) =>
      post(side, endpoint, {
        params: [
          ['token', (await issued(side)).access],
          ['token_type_hint', 'refresh_token'],
        ],
      }),
  },
  {
    name: `${endpoint}: a live refresh token`,
    run: async (side: Side) => post(side, endpoint, { params: [['token', (await issued(side)).refresh]] }),
  },
  {
    name: `${endpoint}: a public client's own token`,
    run: async (side: Side) =>
      post(side, endpoint, {
        client: 'native',
        proof: publicProof,
        params: [['token', (await issued(side, 'native')).access]],
      }),
  },
  {
    name: `${endpoint}: another client's token`,
    run: async (side: Side) =>
      post(side, endpoint, { client: 'other', params: [['token', (await issued(side)).access]] }),
  },
])

const afterwards: readonly Probe[] = [
  {
    name: 'revoke: twice',
    run: async (side) => {
      const { access } = await issued(side)
      await send(side, 'revoke', { params: [['token', access]] })
      return post(side, 'revoke', { params: [['token', access]] })
    },
  },
  {
    name: 'introspect: after it was revoked',
    run: async (side) => {
      const { access } = await issued(side)
      await send(side, 'revoke', { params: [['token', access]] })
      return post(side, 'introspect', { params: [['token', access]] })
    },
  },
  {
    name: 'introspect: after another client tried to revoke it',
    run: async (side) => {
      const { access } = await issued(side)
      await send(side, 'revoke', { client: 'other', params: [['token', access]] })
      return post(side, 'introspect', { params: [['token', access]] })
    },
  },
]

/** Every request of the comparison, well- and ill-formed. */
export const probes: readonly Probe[] = [
  ...authentication,
  ...clientCredentials,
  ...authorization,
  ...codes,
  ...refresh,
  ...looking,
  ...afterwards,
]
