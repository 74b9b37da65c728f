import { describe, expect, it } from 'vitest'

import type { Api, Plan } from '../core/apis/api.ts'
import type { Config } from './config.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const env = { OPENAI_API_KEY: 'sk-test' }

function load(api: string, plan = '', more = '') {
  const text = `version: 1
brand: acme
apis:
  openai:
    address: ":9004/openai"
    upstream: https://api.openai.com
    upstream_credential: \${OPENAI_API_KEY}
${api}${more}
plans:
  pro: {apis: [openai]${plan}}
`
  return loadConfigText(text, { file: '/nowhere/postern.yaml', env })
}

function configOf(result: ReturnType<typeof load>): Config {
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  return result.value
}

function apiOf(api: string): Api {
  const found = configOf(load(api)).declaration.apis.get('openai')
  if (found === undefined) throw new Error('no API')
  return found
}

function planOf(plan: string): Plan {
  const found = configOf(load(priced, plan)).declaration.plans.get('pro')
  if (found === undefined) throw new Error('no plan')
  return found
}

const errors = (result: ReturnType<typeof load>): readonly string[] =>
  result.ok ? [] : result.error.map(({ path, message }) => `${path}: ${message}`)

const llm = (more = '') => `    llm: {provider: openai${more}}\n`
const priced = `    llm:
      provider: openai
      prices:
        - {model: gpt-x, from: 2026-01-01, input: 2.50, output: 10.00, cached_input: 1.25, currency: USD, per: 1M}
        - {model: "gpt-*", from: 2026-01-01, input: 0.00015, output: 0.0006, currency: USD, per: 1K}
`

describe('an API of language models (APK-2)', () => {
  it('has the provider’s places, routes, bounds and the place of its credential, and tells nobody who calls', () => {
    const api = apiOf(llm())
    expect(api.preset.id).toBe('llm')
    expect(api.places.map(({ in: place }) => place)).toEqual(['bearer'])
    expect(api.upstreamCredentials.live?.place).toEqual({ in: 'bearer' })
    expect(api.identityHeaders).toBe(false)
    expect(api.unmatched).toBe('refuse')
    const chat = api.routes.match('POST', '/v1/chat/completions')
    expect(chat?.methodMatched === true && chat.route).toMatchObject({
      llm: { model: 'body', metered: true, output: true, asksForUsage: true },
      bodyBytesMax: 32 * 1_024 ** 2,
      timeouts: { firstByteMs: 600_000, idleMs: 300_000 },
    })
    expect(api.llm).toMatchObject({ models: null, defaultOutputTokens: 4_096, asksForUsage: true })
  })

  it('injects each provider’s credential where that provider takes it', () => {
    const placeOf = (provider: string) => apiOf(`    llm: {provider: ${provider}}\n`).upstreamCredentials.live?.place
    expect(['anthropic', 'gemini', 'mistral', 'ollama'].map(placeOf)).toEqual([
      { in: 'header', name: 'x-api-key' },
      { in: 'header', name: 'x-goog-api-key' },
      { in: 'bearer' },
      { in: 'bearer' },
    ])
  })

  it('keeps what is declared beside it', () => {
    const api = apiOf(
      `${llm(', models: [gpt-x, "o*"], default_output: 100, stream_usage: leave')}    body_max: 1MiB\n    identity_headers: true\n`,
    )
    expect(api.llm).toMatchObject({ defaultOutputTokens: 100, asksForUsage: false })
    expect(['gpt-x', 'o3', 'gpt-y'].map((model) => api.llm?.models?.allows(model))).toEqual([true, true, false])
    expect(api.identityHeaders).toBe(true)
    expect(api.unmatchedRoute.bodyBytesMax).toBe(1_024 ** 2)
  })

  it('takes what runs no model for such only where it is plain, or said', () => {
    const api = apiOf(`${llm()}    routes:
      - {id: files, path: /v1/files}
      - {id: list, methods: [GET], path: /v1/batches}
      - {id: told, methods: [POST], path: /v1/told, runs_model: false}
      - {id: run, methods: [GET], path: /v1/run, runs_model: true}
      - {id: chat.completions, body_max: 2MiB}
`)
    const modelOf = (method: string, path: string) => {
      const found = api.routes.match(method, path)
      return found?.methodMatched === true ? found.route.llm?.model : null
    }
    expect([
      modelOf('GET', '/v1/files'),
      modelOf('GET', '/v1/batches'),
      modelOf('POST', '/v1/told'),
      modelOf('GET', '/v1/run'),
      modelOf('POST', '/v1/chat/completions'),
    ]).toEqual(['unreadable', 'none', 'none', 'unreadable', 'body'])
    expect(api.unmatchedRoute.llm?.model).toBe('unreadable')
    expect(errors(load('    routes: [{id: a, path: /a, runs_model: true}]\n'))).toEqual([
      'apis.openai.routes[0].runs_model: is for routes of an API with "llm"',
    ])
  })

  it('has prices in micro-units for a million tokens', () => {
    expect(apiOf(priced).llm?.prices.find('gpt-x', Date.UTC(2026, 0, 1))).toEqual({
      model: 'gpt-x',
      from: Date.UTC(2026, 0, 1),
      currency: 'USD',
      input: 2_500_000,
      cachedInput: 1_250_000,
      cacheWrite: 2_500_000,
      output: 10_000_000,
    })
    expect(apiOf(priced).llm?.prices.find('gpt-y', Date.UTC(2026, 0, 1))).toMatchObject({
      input: 150_000,
      cachedInput: 150_000,
      output: 600_000,
    })
  })

  it('is refused with a sentence where it is wrong', () => {
    const one = (fields: string) =>
      errors(
        load(
          `    llm: {provider: openai, prices: [{model: a, from: 2026-01-01, input: 1, output: 1, currency: USD, per: 1M${fields}}]}\n`,
        ),
      )
    expect(errors(load('    preset: llm\n'))).toEqual([
      'apis.openai.preset: needs to know the provider: write llm: {provider: openai}',
    ])
    expect(errors(load(`    preset: voucherify\n${llm()}`))).toContain(
      'apis.openai.preset: an API with "llm" has the preset llm, and needs not say so',
    )
    expect(errors(load('    llm: {provider: opnai}\n'))).toEqual([
      'apis.openai.llm.provider: must be openai, anthropic, mistral, gemini or ollama; did you mean "openai"?',
    ])
    expect(errors(load(llm(', models: ["a b"]')))[0]).toMatch(
      /^apis.openai.llm.models\[0\]: must be the name of a model/,
    )
    expect(errors(load(llm(', models: ["a*b"]')))[0]).toMatch(/must be the name of a model/)
    expect(one(', cached_input: -1')[0]).toMatch(/cached_input: must be an amount such as 2.50, from 0/)
    expect(one(', cache_write: 0.0000001')).toEqual([
      'apis.openai.llm.prices[0].cache_write: has more than six decimals',
    ])
    const two = (a: string, b: string) =>
      errors(
        load(
          `    llm: {provider: openai, prices: [{model: a, input: 1, output: 1, per: 1M, ${a}}, {model: a, input: 1, output: 1, per: 1M, ${b}}]}\n`,
        ),
      )
    expect(two('from: 2026-02-30, currency: USD', 'from: 2026-01-01, currency: USD')).toEqual([
      'apis.openai.llm.prices[0].from: there is no day 2026-02-30',
    ])
    expect(two('from: 2026-01-01, currency: USD', 'from: 2026-01-01, currency: EUR')).toEqual([
      'apis.openai.llm.prices: are in USD and EUR: an API has one currency',
      'apis.openai.llm.prices[1]: the model "a" has a price of 2026-01-01 already',
    ])
  })
})

describe('budgets and models of a plan (APK-4)', () => {
  it('are tokens, or money in micro-units', () => {
    const plan = planOf(
      ', models: ["gpt-*"], budgets: [{name: a, per: account, tokens: 1000, period: month}, {name: b, per: credential, money: 12.34, currency: USD, period: day}]',
    )
    expect(plan.budgets).toEqual([
      { name: 'a', per: 'account', unit: { kind: 'tokens' }, amount: 1_000, period: 'month' },
      { name: 'b', per: 'credential', unit: { kind: 'money', currency: 'USD' }, amount: 12_340_000, period: 'day' },
    ])
    expect(plan.models?.allows('gpt-x')).toBe(true)
  })

  it('are refused where they cannot be counted', () => {
    const one = (fields: string, api = priced) =>
      errors(load(api, `, budgets: [{name: a, per: account, period: month, ${fields}}]`))
    expect(one('tokens: 1, money: 1, currency: USD')).toEqual([
      'plans.pro.budgets[0]: needs either "tokens" or "money"',
    ])
    expect(one('currency: USD')).toEqual([
      'plans.pro.budgets[0]: needs either "tokens" or "money"',
      'plans.pro.budgets[0]: "currency" is for a budget of money',
    ])
    expect(one('money: 1')).toEqual(['plans.pro.budgets[0]: "currency" is missing'])
    expect(one('money: 0, currency: USD')).toEqual(['plans.pro.budgets[0].money: must be more than 0'])
    expect(one('money: 1, currency: EUR')).toEqual([
      'plans.pro.budgets[0]: the prices of the API "openai" are in USD, and nothing is converted',
    ])
    expect(one('money: 1, currency: USD', llm())).toEqual([
      'plans.pro.budgets[0]: the API "openai" declares no prices, so money cannot be counted',
    ])
    const named = priced.replace('provider: openai', 'provider: openai\n      models: [gpt-x, o3]')
    expect(one('money: 1, currency: USD', named)).toEqual([
      'plans.pro.budgets[0]: the API "openai" declares no price of o3',
    ])
    expect(
      errors(
        load(named, ', models: ["gpt-*"], budgets: [{name: a, per: account, period: day, money: 1, currency: USD}]'),
      ),
    ).toEqual([])
    expect(
      errors(
        load(
          llm(),
          ', budgets: [{name: a, per: account, tokens: 1, period: day}, {name: a, per: project, tokens: 1, period: day}]',
        ),
      ),
    ).toEqual(['plans.pro.budgets[1].name: a budget named "a" stands here already'])
  })
})
