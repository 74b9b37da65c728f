import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import Provider, { errors } from 'oidc-provider'

import { follow } from './browser.ts'
import { loopbackUri, redirectUri, resource, scopes, type Client, type ClientName, type Side } from './side.ts'

/** What of the other implementation is used here; it comes without types. */
interface OidcProvider {
  callback(): RequestListener
  interactionDetails(
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<{ readonly params: { readonly client_id: string } }>
  interactionFinished(req: IncomingMessage, res: ServerResponse, result: object): Promise<void>
  readonly Grant: new (of: { accountId: string; clientId: string }) => {
    addOIDCScope(scope: string): void
    addResourceScope(resource: string, scope: string): void
    save(): Promise<string>
  }
}

const all = scopes.join(' ')
const person = 'somebody'
const clients: Readonly<Record<ClientName, Client>> = {
  web: { id: 'web', secret: 'web-secret-0123456789-0123456789' },
  other: { id: 'other', secret: 'other-secret-0123456789-0123456789' },
  machine: { id: 'machine', secret: 'machine-secret-0123456789-0123456789' },
  native: { id: 'native', secret: '' },
}

/** node-oidc-provider with everything that Postern does too, and nothing else, switched on. */
export async function startOracle(): Promise<Side> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const provider = new Provider(issuer, configuration) as OidcProvider
  const serve = provider.callback()
  server.on('request', (req, res) => {
    if (req.url?.startsWith('/interaction/') !== true) return serve(req, res)
    return void agree(provider, req, res)
  })
  return {
    name: 'oidc-provider',
    endpoints: {
      token: `${issuer}/token`,
      introspect: `${issuer}/token/introspection`,
      revoke: `${issuer}/token/revocation`,
      authorize: `${issuer}/auth`,
    },
    clients,
    besides: 'openid offline_access ',
    consent: (url) => follow(url, [redirectUri, 'http://127.0.0.1'], {}),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function agree(provider: OidcProvider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(req, res)
  const grant = new provider.Grant({ accountId: person, clientId: params.client_id })
  grant.addOIDCScope(`openid offline_access ${all}`)
  grant.addResourceScope(resource, all)
  await provider.interactionFinished(req, res, {
    login: { accountId: person },
    consent: { grantId: await grant.save() },
  })
}

const web = {
  grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: 'client_secret_basic',
}

const configuration = {
  clients: [
    { ...web, client_id: clients.web.id, client_secret: clients.web.secret },
    { ...web, client_id: clients.other.id, client_secret: clients.other.secret },
    {
      client_id: clients.machine.id,
      client_secret: clients.machine.secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
    {
      client_id: clients.native.id,
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [redirectUri, loopbackUri],
      application_type: 'native',
      token_endpoint_auth_method: 'none',
    },
  ],
  scopes: ['openid', 'offline_access', ...scopes],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  cookies: { keys: ['only for this test'] },
  ttl: {
    AccessToken: 900,
    ClientCredentials: 900,
    AuthorizationCode: 60,
    RefreshToken: 86_400,
    IdToken: 900,
    Session: 3600,
    Grant: 86_400,
    Interaction: 3600,
  },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context: unknown, asked: string) => {
        if (asked !== resource) throw new errors.InvalidTarget()
        return { scope: all, audience: resource, accessTokenTTL: 900, accessTokenFormat: 'opaque' }
      },
    },
  },
}
