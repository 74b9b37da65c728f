import { describe, expect, it } from 'vitest'

import { noIpRanges } from '../../base/ip.ts'
import { Secret } from '../../base/secret.ts'
import { checkRequest } from './check.ts'
import { injectionOf } from './injection.ts'
import { acceptInput } from './input.ts'
import type { Platform } from './platform.ts'
import { platformOf, platforms } from './platforms/index.ts'

/** Requirement VCH-5's list, in its order, and the five providers of APK-2. */
const required = [
  'activecampaign',
  'batch',
  'bigcommerce',
  'bloomreach-engagement',
  'braze',
  'cm-telecom',
  'google-analytics',
  'intercom',
  'klaviyo',
  'mailchimp',
  'mailgun',
  'mandrill',
  'mparticle',
  'segment',
  'sendgrid',
  'textlocal',
  'twilio',
  'openai',
  'anthropic',
  'mistral',
  'gemini',
  'ollama',
]

/** Fields of the module's own examples, its secrets made recognisable. */
function examples(platform: Platform, secret: string) {
  const fields = (wanted: boolean) => platform.fields.filter((field) => field.secret === wanted)
  return {
    settings: Object.fromEntries(fields(false).map(({ name, example }) => [name, example])),
    secrets: new Map(fields(true).map(({ name }) => [name, new Secret(secret)])),
  }
}

const basic = (pair: string) => ['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]

/** What each platform documents: the header lines or query that carry the secret `S3CRET`, and the check call. */
const documented: Record<string, { lines?: string[]; query?: string; check: string | null }> = {
  activecampaign: { lines: ['Api-Token', 'S3CRET'], check: 'GET https://acme.api-us1.com/api/3/users/me' },
  batch: {
    lines: ['Authorization', 'Bearer S3CRET', 'X-Batch-Project', 'project_00000000000000000000000000000000'],
    check: 'GET https://api.batch.com/2.8/catalogs/list?limit=1',
  },
  bigcommerce: {
    lines: ['X-Auth-Token', 'S3CRET'],
    check: 'GET https://api.bigcommerce.com/stores/abc123def4/v2/time',
  },
  'bloomreach-engagement': {
    lines: basic('0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqr:S3CRET'),
    check: null,
  },
  braze: { lines: ['Authorization', 'Bearer S3CRET'], check: 'GET https://rest.iad-01.braze.com/campaigns/list' },
  'cm-telecom': { lines: ['X-CM-PRODUCTTOKEN', 'S3CRET'], check: null },
  'google-analytics': { query: 'measurement_id=G-0000000000&api_secret=S3CRET', check: null },
  intercom: { lines: ['Authorization', 'Bearer S3CRET'], check: 'GET https://api.intercom.io/me' },
  klaviyo: {
    lines: ['Authorization', 'Klaviyo-API-Key S3CRET'],
    check: 'GET https://a.klaviyo.com/api/accounts/',
  },
  mailchimp: { lines: basic('anystring:S3CRET'), check: 'GET https://us21.api.mailchimp.com/3.0/ping' },
  mailgun: { lines: basic('api:S3CRET'), check: 'GET https://api.mailgun.net/v4/domains?limit=1' },
  mandrill: { check: 'POST https://mandrillapp.com/api/1.0/users/ping2 {"key":"S3CRET"}' },
  mparticle: { lines: basic('us1-00000000000000000000000000000000:S3CRET'), check: null },
  segment: { lines: basic('S3CRET:'), check: null },
  sendgrid: { lines: ['Authorization', 'Bearer S3CRET'], check: 'GET https://api.sendgrid.com/v3/scopes' },
  textlocal: { query: 'apikey=S3CRET', check: 'GET https://api.txtlocal.com/balance/?apikey=S3CRET' },
  twilio: {
    lines: basic('SK00000000000000000000000000000000:S3CRET'),
    check:
      'GET https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000000/IncomingPhoneNumbers.json?PageSize=1',
  },
  openai: { lines: ['Authorization', 'Bearer S3CRET'], check: 'GET https://api.openai.com/v1/models' },
  anthropic: { lines: ['x-api-key', 'S3CRET'], check: 'GET https://api.anthropic.com/v1/models?limit=1' },
  mistral: { lines: ['Authorization', 'Bearer S3CRET'], check: 'GET https://api.mistral.ai/v1/models' },
  gemini: {
    lines: ['x-goog-api-key', 'S3CRET'],
    check: 'GET https://generativelanguage.googleapis.com/v1beta/models?pageSize=1',
  },
  ollama: { lines: ['Authorization', 'Bearer S3CRET'], check: null },
  custom: { lines: ['X-Api-Key', 'Token S3CRET'], check: 'GET https://api.example.com/v1/me' },
}

describe('platforms', () => {
  it('VCH-5, APK-2: all that are named have a module, and one stands for the others', () => {
    expect(platforms.map(({ id }) => id)).toEqual([...required, 'custom'])
    expect(platformOf('braze')?.name).toBe('Braze')
    expect(platformOf('nobody')).toBeNull()
    expect(Object.keys(documented).toSorted()).toEqual(platforms.map(({ id }) => id).toSorted())
  })

  describe.each(platforms.map((platform) => [platform.id, platform] as const))('%s', (_id, platform) => {
    it('puts its credential where the platform documents it', () => {
      const { settings, secrets } = examples(platform, 'S3CRET')
      const injected = injectionOf(platform.places(settings), settings, secrets)
      const { lines, query } = documented[platform.id] ?? {}
      if (lines === undefined && query === undefined) return expect(injected).toEqual({ ok: false, error: 'body' })
      expect(injected).toMatchObject({ ok: true, value: { lines: lines ?? [], parameter: query ?? '' } })
    })

    it('is checked by the call that changes nothing, or says why it cannot be', () => {
      const request = checkRequest({ platform, ...examples(platform, 'S3CRET') }, noIpRanges)
      const check = documented[platform.id]?.check ?? null
      if ('none' in request) return expect([check, request.none.length > 20]).toEqual([null, true])
      const { method, url, body } = request
      expect(`${method} ${url.href}${body === null ? '' : ` ${body}`}`).toBe(check)
      expect(url.protocol).toBe('https:')
    })

    it('takes its own examples and names every field in words', () => {
      const sent = (secret: boolean) =>
        Object.fromEntries(platform.fields.filter((f) => f.secret === secret).map((f) => [f.name, f.example]))
      expect(acceptInput(platform, { name: 'main', settings: sent(false), secrets: sent(true) })).toMatchObject({
        ok: true,
      })
      for (const { name, label, expects } of platform.fields) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*$/)
        expect([label.length, expects.length].every((length) => length > 1)).toBe(true)
      }
      expect(platform.fields.filter(({ secret }) => secret).length).toBeGreaterThan(0)
    })

    it('takes no value that breaks out of a header, a path or a host', () => {
      const hostile = ['', 'a\r\nX: y', 'a\nb', 'a b', 'ä', 'a\0', '\t', '\u2028']
      const breaking = ['evil.test/', 'evil.test#', 'evil.test?', 'a@evil.test', 'a/../b', 'a%2f', 'a\\b', '*']
      for (const field of platform.fields) {
        for (const value of hostile)
          expect([field.name, value, field.pattern.test(value)]).toEqual([field.name, value, false])
        if (field.secret || ['user', 'check_path'].includes(field.name)) continue
        for (const value of breaking)
          expect([field.name, value, field.pattern.test(value)]).toEqual([field.name, value, false])
      }
    })

    it('sends nothing to another host than its own, whatever its settings are', () => {
      const { settings } = examples(platform, 'S3CRET')
      const base = URL.parse(platform.base(settings) ?? '')
      expect(base?.username).toBe('')
      expect(platform.base(settings)?.endsWith('/')).toBe(false)
      for (const place of platform.places(settings)) {
        const fields =
          'field' in place
            ? [place.field]
            : [place.user, place.password].flatMap((part) => ('field' in part ? [part.field] : []))
        for (const name of fields) expect(platform.fields.map((field) => field.name)).toContain(name)
      }
    })

    it('says how to rotate, and from which pages it knows', () => {
      expect(platform.rotation.how).toMatch(/^[A-Zo].{20,400}\.$/)
      if (platform.id !== 'custom') expect(platform.sources.length).toBeGreaterThan(0)
      for (const source of platform.sources) expect(URL.parse(source)?.protocol).toMatch(/^https?:$/)
    })
  })
})

describe('fields as they are sent', () => {
  const twilio = platformOf('twilio')
  const custom = platformOf('custom')
  if (twilio === null || custom === null) throw new Error('no such platform')

  it('are told apart, and no fault repeats a value', () => {
    const faults = acceptInput(twilio, {
      name: 'main',
      settings: { account_sid: 'my-secret-in-the-wrong-field', secret: 'hunter2hunter2', acount: 'x' },
      secrets: {},
    })
    expect(faults).toEqual({
      ok: false,
      error: [
        { path: '/settings/secret', message: 'stands in the wrong place: it belongs into "secrets"' },
        { path: '/settings', message: 'has a field that Twilio does not have; it has account_sid, user' },
        { path: '/settings/account_sid', message: 'must be the account SID: AC and 32 hexadecimal digits' },
        {
          path: '/settings/user',
          message:
            'is missing; it is the SID of an API key (SK…), or the account SID again where the secret is an auth token',
        },
        {
          path: '/secrets/secret',
          message: 'is missing; it is the credential as the platform shows it: visible ASCII characters without spaces',
        },
      ],
    })
    expect(JSON.stringify(faults)).not.toContain('hunter2')
  })

  it('of any other API choose a place, and a header or parameter has a name', () => {
    const secrets = { secret: 'S3CRET' }
    expect(acceptInput(custom, { name: 'main', settings: { in: 'header' }, secrets })).toEqual({
      ok: false,
      error: [{ path: '/settings/name', message: 'is missing: a header has a name' }],
    })
    expect(acceptInput(custom, { name: 'main', settings: { in: 'bearer' }, secrets })).toMatchObject({ ok: true })
    for (const name of [
      'Host',
      'Connection',
      'transfer_encoding',
      'Content-Length',
      'X-Postern-Account',
      'X.Forwarded.For',
    ])
      expect(acceptInput(custom, { name: 'main', settings: { in: 'header', name }, secrets }).ok).toBe(false)
    expect(acceptInput(custom, { name: 'main', settings: { in: 'header', name: 'toString' }, secrets: {} }).ok).toBe(
      false,
    )
  })

  it('are refused where the secret stands in a field that is shown as well', () => {
    const secret = 'hunter2hunter2'
    const settings = { in: 'basic', user: secret }
    expect(acceptInput(custom, { name: `my-${secret}`, settings, secrets: { secret } })).toEqual({
      ok: false,
      error: ['/name', '/settings/user'].map((path) => ({ path, message: 'holds the secret, and would be shown' })),
    })
    const short = { name: 'basic', settings: { in: 'basic', user: 'api' }, secrets: { secret: 'basic' } }
    expect(acceptInput(custom, short).ok).toBe(true)
  })

  it('of a query go into it encoded, and both forms are known as secret', () => {
    const settings = { in: 'query', name: 'key' }
    const injected = injectionOf(custom.places(settings), settings, new Map([['secret', new Secret('a&b=c+d/e')]]))
    expect(injected).toEqual({
      ok: true,
      value: {
        lines: [],
        parameter: 'key=a%26b%3Dc%2Bd%2Fe',
        cut: { headers: new Set(), parameters: ['key'] },
        secrets: ['a&b=c+d/e', 'a%26b%3Dc%2Bd%2Fe'],
      },
    })
  })
})
