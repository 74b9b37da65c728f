import { describe, expect, it } from 'vitest'

import type { Api } from '../apis/api.ts'
import { impliedScopes } from '../apis/implied-scopes.ts'
import { aDeclaration, aPlan, anApi, aPreset } from '../testing/declaration.ts'
import { type AcceptedTerms, type Fault, type OAuthTerms, type Terms, acceptTerms } from './terms.ts'

const pairs = anApi({ id: 'pairs', preset: aPreset({ form: 'pair' }) })

function accept(
  oauth: Partial<OAuthTerms> | null,
  over: Partial<Terms> = {},
  plan = aPlan({ apis: new Set(['shop', 'pairs']) }),
  apis: readonly Api[] = [anApi(), pairs],
): AcceptedTerms | string {
  const terms: Terms = {
    name: 'App',
    kind: 'oauth_client',
    apis: ['shop'],
    scopes: ['*'],
    role: null,
    ipAllow: [],
    originAllow: undefined,
    limits: [],
    llm: null,
    oauth:
      oauth === null ? null : { type: 'confidential', grantTypes: ['client_credentials'], redirectUris: [], ...oauth },
    notBefore: null,
    expiresAt: null,
    metadata: {},
    ...over,
  }
  const accepted = acceptTerms(terms, {
    declaration: aDeclaration({ apis, plans: [plan] }),
    account: { id: 'acc_1', plan: 'pro' },
    creatorScopes: ['*'],
    madeAt: 0,
    now: 0,
    touched: null,
  })
  return accepted.ok ? accepted.value : `${accepted.error.code} ${said(accepted.error.errors)}`
}

const said = (faults: readonly Fault[]): string => faults.map(({ path, message }) => `${path} ${message}`).join('; ')

const callback = 'https://app.example/callback'

describe('terms of an OAuth client', () => {
  it('are of one form for key and pair APIs alike, since a client presents tokens', () => {
    const all = { apis: ['shop', 'pairs'] }
    expect(accept({}, all)).toMatchObject({ form: 'key', originAllow: null })
    expect(accept(null, { ...all, kind: 'secret' })).toContain('one credential cannot be both')
  })

  it.each([
    ['a secret alone', 'confidential', [], ['client_credentials']],
    ['a secret and redirect URIs', 'confidential', [callback], ['authorization_code', 'refresh_token']],
    ['no secret', 'public', [callback], ['authorization_code', 'refresh_token']],
  ] as const)('allow, unless they say, what a client is good for that has %s', (_, type, redirectUris, grantTypes) => {
    expect(accept({ type, redirectUris, grantTypes: undefined })).toMatchObject({
      oauth: { type, redirectUris, grantTypes },
    })
  })

  it.each<[Partial<OAuthTerms> | null, string]>([
    [null, '/oauth is needed'],
    [{ grantTypes: [] }, '/oauth/grant_types must name at least one'],
    [{ grantTypes: ['client_credentials', 'client_credentials'] }, '/oauth/grant_types/1 is named twice'],
    [{ grantTypes: ['authorization_code'] }, '/oauth/redirect_uris needs at least one'],
    [{ grantTypes: ['client_credentials', 'refresh_token'] }, 'refresh_token needs authorization_code'],
    [
      { type: 'public', grantTypes: ['authorization_code', 'client_credentials'], redirectUris: [callback] },
      'client_credentials needs a secret',
    ],
    [{ type: 'public', grantTypes: undefined }, '/oauth/redirect_uris needs at least one'],
    [{ redirectUris: [callback, callback] }, '/oauth/redirect_uris/1 is named twice'],
    [{ redirectUris: [callback, 'http://app.example/'] }, '/oauth/redirect_uris/1 uses plain HTTP'],
    [{ redirectUris: ['com.example.app:/cb'] }, '/oauth/redirect_uris/0 uses a scheme of an app'],
  ])('%j are refused: %s', (oauth, why) => {
    expect(accept(oauth)).toContain('not_acceptable_value')
    expect(accept(oauth)).toContain(why)
  })

  it('name 20 redirect URIs and not 21', () => {
    const uris = (count: number) => Array.from({ length: count }, (_, i) => `${callback}/${i}`)
    expect(accept({ redirectUris: uris(20) })).toMatchObject({ oauth: { redirectUris: uris(20) } })
    expect(accept({ redirectUris: uris(21) })).toContain('/oauth/redirect_uris has more than 20 entries')
  })

  it('are for clients alone', () => {
    expect(accept({}, { kind: 'secret' })).toContain('/oauth is for OAuth clients alone')
    expect(accept(null, { kind: 'secret' })).toMatchObject({ oauth: null })
  })

  it('fit a plan by what its scopes stand for (VCH-7)', () => {
    const plan = (scopes: readonly string[]) => aPlan({ apis: new Set(['shop']), scopes: new Set(scopes) })
    const implies = impliedScopes(new Map([['api', ['orders.read', 'refunds.write']]]))
    const scopes = new Map(['api', 'orders.read', 'refunds.write'].map((scope) => [scope, scope]))
    const apis = [anApi({ implies, scopes })]
    expect(accept({}, { scopes: ['orders.read', '*'] }, plan(['api']), apis)).toMatchObject({
      scopes: ['orders.read', '*'],
    })
    expect(accept({}, { scopes: ['api'] }, plan(['orders.read']), apis)).toBe(
      'rights_exceeded /scopes/0 the plan does not include this',
    )
  })

  it('need a plan that includes the kind', () => {
    expect(accept({}, {}, aPlan({ kinds: new Set(['secret']) }))).toBe(
      'rights_exceeded /kind the plan does not include this kind of credential',
    )
  })
})
