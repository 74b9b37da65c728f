import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { OAuth2Client } from '@badgateway/oauth2-client'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Person } from '../identity/support/person.ts'
import { makeAccount, type Holder } from '../support/issue.ts'
import { issueClient, oauthYaml } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'
import { consent, joinAs } from './oracle/postern.ts'
import { challenge, redirectUri, verifier } from './oracle/side.ts'

/** Clients that others wrote, as their documentation shows them (THL-6): token, call, refresh, revocation. */
let server: TestServer
let client: Holder
let person: Person
const scope = 'orders.read orders.write'

beforeAll(async () => {
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
  const { id: account, project } = await makeAccount(server.api, 'pro')
  client = await issueClient(server.api, project, {
    apis: ['shop'],
    scopes: ['orders.read', 'orders.write'],
    oauth: {
      type: 'confidential',
      grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
    },
  })
  person = await joinAs(server, account)
})

afterAll(async () => {
  await server.stop()
})

/** Signs in and allows, and answers where the browser was sent. */
function cameBack(url: string | URL): Promise<URL> {
  return consent(person, server.console, String(url))
}

async function call(token: string): Promise<number> {
  const response = await fetch(`${server.own[0]}/v1/orders/1`, { headers: { authorization: `Bearer ${token}` } })
  await response.text()
  return response.status
}

describe('openid-client', () => {
  it('finds everything by metadata, and does all that there is', async () => {
    const config = await openid.discovery(new URL(server.console), client.publicId, client.value, undefined, {
      execute: [openid.allowInsecureRequests],
      algorithm: 'oauth2',
    })
    const machine = await openid.clientCredentialsGrant(config, { scope: 'orders.read' })
    expect([machine.scope, machine.expires_in, await call(machine.access_token)]).toEqual(['orders.read', 900, 200])

    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope,
      state: 'abc',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    const back = await cameBack(url)
    const tokens = await openid.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: 'abc',
    })
    expect([tokens.scope, await call(tokens.access_token)]).toEqual([scope, 200])
    const next = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '')
    expect(await call(next.access_token)).toBe(200)
    expect((await openid.tokenIntrospection(config, next.access_token)).active).toBe(true)
    await openid.tokenRevocation(config, next.access_token)
    expect((await openid.tokenIntrospection(config, next.access_token)).active).toBe(false)
    expect(await call(next.access_token)).toBe(401)
  })
})

describe('oauth4webapi', () => {
  it('finds no fault with any answer, and it is strict', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(server.console)
    const found = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure })
    const as = await oauth.processDiscoveryResponse(issuer, found)
    const app = { client_id: client.publicId }
    const proof = oauth.ClientSecretBasic(client.value)
    const asked = await oauth.clientCredentialsGrantRequest(as, app, proof, { scope: 'orders.read' }, insecure)
    const machine = await oauth.processClientCredentialsResponse(as, app, asked)
    expect(machine.token_type).toBe('bearer')

    const query = new URLSearchParams({
      client_id: client.publicId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope,
      state: 'abc',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })
    const parameters = oauth.validateAuthResponse(
      as,
      app,
      await cameBack(`${as.authorization_endpoint}?${query.toString()}`),
      'abc',
    )
    const redeemed = await oauth.authorizationCodeGrantRequest(
      as,
      app,
      proof,
      parameters,
      redirectUri,
      verifier,
      insecure,
    )
    const tokens = await oauth.processAuthorizationCodeResponse(as, app, redeemed)
    const refreshed = await oauth.refreshTokenGrantRequest(as, app, proof, tokens.refresh_token ?? '', insecure)
    const next = await oauth.processRefreshTokenResponse(as, app, refreshed)
    expect(await call(next.access_token)).toBe(200)
    const looked = await oauth.introspectionRequest(as, app, proof, next.access_token, insecure)
    expect((await oauth.processIntrospectionResponse(as, app, looked)).active).toBe(true)
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, app, proof, next.access_token, insecure))
    expect(await call(next.access_token)).toBe(401)
  })
})

describe('simple-oauth2', () => {
  it.each(['form', 'json'] as const)('with bodies as %s', async (bodyFormat) => {
    const { ClientCredentials, AuthorizationCode } = await import('simple-oauth2')
    const config = {
      client: { id: client.publicId, secret: client.value },
      auth: {
        tokenHost: server.console,
        tokenPath: '/oauth/token',
        revokePath: '/oauth/revoke',
      },
      options: { bodyFormat, authorizationMethod: 'body' },
    }
    const machine = await new ClientCredentials(config).getToken({ scope: 'orders.read' })
    expect(await call(machine.token.access_token)).toBe(200)

    const flow = new AuthorizationCode({
      ...config,
      auth: { ...config.auth, authorizePath: '/oauth/authorize' },
    })
    const more = { code_challenge: challenge, code_challenge_method: 'S256' }
    const back = await cameBack(flow.authorizeURL({ redirect_uri: redirectUri, scope, state: 'abc', ...more }))
    const code = back.searchParams.get('code')
    const tokens = await flow.getToken({ code, redirect_uri: redirectUri, code_verifier: verifier })
    const next = await tokens.refresh()
    expect(await call(next.token.access_token)).toBe(200)
    await next.revoke('access_token')
    expect(await call(next.token.access_token)).toBe(401)
  })
})

describe('@badgateway/oauth2-client', () => {
  it.each(['client_secret_basic', 'client_secret_post'] as const)('by %s', async (authenticationMethod) => {
    const app = new OAuth2Client({
      server: server.console,
      clientId: client.publicId,
      clientSecret: client.value,
      discoveryEndpoint: '/.well-known/oauth-authorization-server',
      authenticationMethod,
    })
    const machine = await app.clientCredentials({ scope: ['orders.read'] })
    expect(await call(machine.accessToken)).toBe(200)
    const url = await app.authorizationCode.getAuthorizeUri({
      redirectUri,
      state: 'abc',
      codeVerifier: verifier,
      scope: scope.split(' '),
    })
    const back = await cameBack(url)
    const tokens = await app.authorizationCode.getTokenFromCodeRedirect(back, {
      redirectUri,
      state: 'abc',
      codeVerifier: verifier,
    })
    const next = await app.refreshToken(tokens)
    expect(await call(next.accessToken)).toBe(200)
    expect((await app.introspect(next)).active).toBe(true)
    await app.revoke(next)
    expect(await call(next.accessToken)).toBe(401)
  })
})

describe('passport-oauth2', () => {
  it('signs somebody in, with state and PKCE', async () => {
    const { Strategy } = (await import('passport-oauth2')).default
    const options = {
      authorizationURL: `${server.console}/oauth/authorize`,
      tokenURL: `${server.console}/oauth/token`,
      clientID: client.publicId,
      clientSecret: client.value,
      callbackURL: redirectUri,
      scope: scope.split(' '),
      state: true,
      pkce: true,
    }
    const strategy = new Strategy(options, (access, refresh, _profile, done) => done(null, { access, refresh }))
    const session = {}
    const ask = (query: object): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const acting = Object.assign(Object.create(strategy) as typeof strategy, {
          redirect: resolve,
          success: resolve,
          fail: reject,
          error: reject,
        })
        acting.authenticate({ query, session, body: {} }, {})
      })
    const back = await cameBack(String(await ask({})))
    const tokens = (await ask(Object.fromEntries(back.searchParams))) as { access: string; refresh: string }
    expect([await call(tokens.access), tokens.refresh.startsWith('acme_rt_')]).toEqual([200, true])
  })
})

// ---- Python, from Debian -----------------------------------------------------------------------------------

const packages = '/usr/lib/python3/dist-packages'
const has = (name: string): boolean => existsSync(join(packages, name))
const python = join(import.meta.dirname, 'python')

/** Runs a program that prints an address to go to, is told where that led, and prints what it saw. */
function converse(program: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', [join(python, program)], { env: { ...process.env, ...env } })
    let told = ''
    let wrong = ''
    child.stderr.on('data', (text: Buffer) => (wrong += text.toString()))
    child.stdout.on('data', (text: Buffer) => {
      const [line = '', rest] = (told += text.toString()).split('\n', 2)
      const said: unknown = rest === undefined ? null : JSON.parse(line)
      if (typeof said !== 'object' || said === null || !('authorize' in said)) return
      told = ''
      cameBack(String(said.authorize)).then((url) => child.stdin.write(`${url.href}\n`), reject)
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(told))
      else reject(new Error(wrong))
    })
  })
}

const environment = (): Record<string, string> => ({
  ISSUER: server.console,
  API: server.own[0] ?? '',
  CLIENT_ID: client.publicId,
  CLIENT_SECRET: client.value,
  REDIRECT_URI: redirectUri,
  VERIFIER: verifier,
  CHALLENGE: challenge,
})

describe('Python', () => {
  it.runIf(has('requests_oauthlib'))('requests-oauthlib', async () => {
    expect(await converse('oauthlib_client.py', environment())).toEqual({
      machine: ['Bearer', ['orders.read'], 200],
      person: [['orders.read', 'orders.write'], 200],
      refreshed: [true, 200],
      revoked: [200, 401],
    })
  })

  it.runIf(has('authlib'))('Authlib', async () => {
    expect(await converse('authlib_client.py', environment())).toEqual({
      client_secret_basic: ['Bearer', 'orders.read', 200],
      client_secret_post: ['Bearer', 'orders.read', 200],
      person: [['orders.read', 'orders.write'], 200],
      refreshed: [true, 200],
      introspected: true,
      revoked: [200],
      'introspected after': { active: false },
    })
  })

  it.runIf(has('requests'))('requests, as Card Connect’s document has it (CRC-2)', async () => {
    const { project } = await makeAccount(server.api, 'pro')
    const cards = await issueClient(server.api, project, { apis: ['cards'], scopes: [] })
    const env = {
      ...process.env,
      HOST: server.own[3] ?? '',
      CLIENT_ID: cards.publicId,
      CLIENT_SECRET: cards.value,
    }
    const said = await new Promise<string>((resolve, reject) => {
      execFile('/usr/bin/python3', [join(python, 'requests_snippet.py')], { env }, (error, out, wrong) =>
        error === null ? resolve(out) : reject(new Error(wrong)),
      )
    })
    expect(said.trim()).toBe('200 Bearer 200')
  })
})
