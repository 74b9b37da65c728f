import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { oauthYaml, send } from '../support/oauth.ts'
import { startTestServer, type TestServer } from '../support/server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer({ yaml: oauthYaml, ownPorts: 5 })
})
afterAll(async () => await server.stop())

const names = ['oauth-authorization-server', 'openid-configuration']

describe('metadata (RFC 8414)', () => {
  it.each(names)('33: is complete, and its issuer is the URL that it came from: %s', async (name) => {
    const answer = await send(`${server.console}/.well-known/${name}`, 'GET')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
    const at = (path: string) => server.console + path
    expect(answer.body).toEqual({
      issuer: server.console,
      authorization_endpoint: at('/oauth/authorize'),
      token_endpoint: at('/oauth/token'),
      introspection_endpoint: at('/oauth/introspect'),
      revocation_endpoint: at('/oauth/revoke'),
      jwks_uri: at('/oauth/jwks'),
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      scopes_supported: expect.arrayContaining(['orders.read', 'stock.read', 'vouchers']),
      authorization_response_iss_parameter_supported: true,
      prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
      service_documentation: at('/api/docs'),
    })
  })

  it('9, 10, 16: offers no token in the front channel, the issuer in every answer, and S256 alone', async () => {
    const { body } = await send(`${server.console}/.well-known/${names[0]}`, 'GET')
    expect(body.response_types_supported).toEqual(['code'])
    expect(body.authorization_response_iss_parameter_supported).toBe(true)
    expect(body.code_challenge_methods_supported).toEqual(['S256'])
  })

  it('33: never believes what a client calls the server', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' }
    const answer = await send(`${server.console}/.well-known/${names[0]}`, 'GET', headers)
    expect(answer.body.issuer).toBe(server.console)
    expect(answer.text).not.toContain('evil')
  })

  it('11: may be read by every page and kept for five minutes, and is not sent again where it is known', async () => {
    const url = `${server.console}/.well-known/${names[0]}`
    const { headers } = await send(url, 'GET', { origin: 'https://any.example' })
    expect(headers.get('access-control-allow-origin')).toBe('*')
    expect(headers.get('cache-control')).toBe('public, max-age=300')
    const again = await send(url, 'GET', { 'if-none-match': headers.get('etag') ?? '' })
    expect([again.status, again.text]).toEqual([304, ''])
    expect((await send(url, 'GET', { 'if-none-match': '"other"' })).status).toBe(200)
    const head = await send(url, 'HEAD')
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', headers.get('etag')])
  })

  it('is read and nothing else', async () => {
    const answer = await send(`${server.console}/.well-known/${names[0]}`, 'POST')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await send(`${server.console}/.well-known/${names[0]}/other`, 'GET')).status).toBe(404)
  })

  it('33: of an issuer with a path stands before that path and behind it', async () => {
    const own = await startTestServer({
      yaml: oauthYaml,
      ownPorts: 5,
      publicUrl: 'https://example.com/postern',
    })
    try {
      for (const path of [
        '/.well-known/oauth-authorization-server/postern',
        '/.well-known/openid-configuration/postern',
        '/postern/.well-known/openid-configuration',
        '/.well-known/oauth-authorization-server',
      ]) {
        const { body } = await send(own.console + path, 'GET')
        expect([body.issuer, body.token_endpoint]).toEqual([
          'https://example.com/postern',
          'https://example.com/postern/oauth/token',
        ])
      }
      expect((await send(`${own.console}/.well-known/oauth-authorization-server/other`, 'GET')).status).toBe(404)
    } finally {
      await own.stop()
    }
  })
})

describe('the keys that sign (RFC 7517)', () => {
  it('are public halves, for every page and for five minutes', async () => {
    const answer = await send(`${server.console}/oauth/jwks`, 'GET')
    expect(answer.body).toEqual({
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
          y: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
          alg: 'ES256',
          use: 'sig',
          kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        },
      ],
    })
    const { headers } = answer
    expect([headers.get('content-type'), headers.get('cache-control')]).toEqual([
      'application/jwk-set+json',
      'public, max-age=300',
    ])
    expect(headers.get('access-control-allow-origin')).toBe('*')
    const etag = headers.get('etag') ?? ''
    expect((await send(`${server.console}/oauth/jwks`, 'GET', { 'if-none-match': etag })).status).toBe(304)
  })
})
