import { createHash } from 'node:crypto'

/** One authorization server of a comparison, with the same clients on both sides. */
export interface Side {
  readonly name: string
  readonly endpoints: Readonly<Record<'token' | 'introspect' | 'revoke' | 'authorize', string>>
  readonly clients: Readonly<Record<ClientName, Client>>
  /** What has to be asked for besides, so that there is a refresh token. */
  readonly besides: string
  /** Goes through sign-in and consent as a person does, to the redirect that the client gets. */
  consent(url: string): Promise<URL>
  close(): Promise<void>
}

/**
 * `web` and `other`: confidential, all three grants. `machine`: confidential, client_credentials alone. `native`:
 * public, code and refresh.
 */
export type ClientName = 'web' | 'other' | 'machine' | 'native'

export interface Client {
  readonly id: string
  /** Empty where it is public. */
  readonly secret: string
}

export const redirectUri = 'https://app.example/cb'
export const loopbackUri = 'http://127.0.0.1/cb'
export const resource = 'https://shop.example.com'
export const scopes = ['orders.read', 'orders.write'] as const

/** RFC 7636, section 4.1: 43 characters at least. */
export const verifier = 'correct-horse-battery-staple-0123456789-abcdefg'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

/** What both sides have to agree on. */
export interface Seen {
  readonly status: number
  /** Of the body, or of the redirect. */
  readonly error: string | null
  /** Where the answer sends the browser: nowhere, to the client, or to pages of the server's own. */
  readonly redirect: 'none' | 'client' | 'own'
  readonly state: string | null
  readonly iss: boolean
  readonly json: boolean
  readonly noStore: boolean
  /** Scheme of the challenge. */
  readonly challenge: string | null
  /** What a successful answer has. */
  readonly members: readonly string[]
  readonly scope: string | null
  readonly active: boolean | null
}

/** One request that is sent to both. */
export interface Probe {
  readonly name: string
  run(side: Side): Promise<Seen>
}

const telling = ['access_token', 'refresh_token', 'expires_in', 'token_type']

export async function seen(side: Side, response: Response): Promise<Seen> {
  const text = await response.text()
  const json = (response.headers.get('content-type') ?? '').startsWith('application/json')
  const body = json && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}
  const location = response.headers.get('location')
  const target = location === null ? null : new URL(location, side.endpoints.authorize)
  const own = target !== null && target.origin === new URL(side.endpoints.authorize).origin
  const said = (name: string): string | null => {
    const value = target === null || own ? body[name] : target.searchParams.get(name)
    return typeof value === 'string' ? value : null
  }
  return {
    status: response.status,
    error: said('error'),
    redirect: target === null ? 'none' : own ? 'own' : 'client',
    state: own ? null : said('state'),
    iss: !own && said('iss') !== null,
    json,
    noStore: (response.headers.get('cache-control') ?? '').includes('no-store'),
    challenge: response.headers.get('www-authenticate')?.split(' ')[0] ?? null,
    members: telling.filter((name) => body[name] !== undefined),
    scope: said('scope'),
    active: typeof body['active'] === 'boolean' ? body['active'] : null,
  }
}
