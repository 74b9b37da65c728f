import { readdirSync, readFileSync, statSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { bearer, issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { completion, startProvider, type Provider } from './support/provider.ts'
import { request } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

/** Asks by forward-auth. */
const proxy = '127.0.0.7'
const providerKey = 'canary-key-of-the-operator-0123456789'

const yaml = (url: string): string => `
apis:
  openai:
    address: ":PORT0/openai"
    upstream: ${url}
    upstream_credential: ${providerKey}
    body_max: 1MiB
    llm:
      provider: openai
      prices:
        - {model: "gpt-*", from: 2026-01-01, input: 1.00, cached_input: 0.50, output: 2.00, currency: USD, per: 1M}
    routes:
      - {id: files, methods: [POST], path: /v1/files}
      - {id: batches, methods: [GET], path: /v1/batches}
      - {id: ping, methods: [POST], path: /v1/ping, runs_model: false}
  gemini:
    address: ":PORT0/gemini"
    upstream: ${url}
    upstream_credential: ${providerKey}
    llm: {provider: gemini, models: [gemini-good]}
plans:
  open: {apis: [openai, gemini], kinds: [secret]}
  listed: {apis: [openai, gemini], kinds: [secret], models: ["gpt-good*", gemini-good]}
  tokens:
    apis: [openai]
    kinds: [secret]
    budgets: [{name: tokens, per: credential, tokens: 1000, period: year}]
  wide:
    apis: [gemini]
    kinds: [secret]
    budgets: [{name: tokens, per: credential, tokens: 1000000, period: year}]
  money:
    apis: [openai]
    kinds: [secret]
    budgets: [{name: spend, per: account, money: 0.001, currency: USD, period: year}]
`

let provider: Provider
let server: TestServer
let open: Account
let listed: Account

beforeAll(async () => {
  provider = await startProvider()
  server = await startTestServer({ yaml: yaml(provider.url), ownPorts: 1, listen: `, trusted_proxies: [${proxy}]` })
  open = await makeAccount(server.api, 'open')
  listed = await makeAccount(server.api, 'listed')
})
beforeEach(() => {
  provider.seen.length = 0
  provider.cut.length = 0
  provider.answer = completion(10, 20)
})
afterAll(async () => {
  await server.stop()
  await provider.close()
})

const port = (): number => Number(new URL(server.own[0] ?? '').port)

async function keyOf(account: Account, fields: object = {}): Promise<Holder> {
  return await issue(server.api, account.project, { apis: ['openai'], scopes: [], ...fields })
}

async function inPlan(plan: string, fields: object = {}): Promise<Holder> {
  return await keyOf(await makeAccount(server.api, plan), fields)
}

const body = (fields: object = {}): string => JSON.stringify({ model: 'gpt-good', messages: [], ...fields })

async function ask(
  key: string,
  sent: string,
  target = '/openai/v1/chat/completions',
  headers: readonly (readonly [string, string])[] = [],
) {
  return await request(port(), {
    method: 'POST',
    target,
    headers: [bearer(key), ['Content-Type', 'application/json'], ...headers],
    body: sent,
  })
}

describe('a request to a model', () => {
  it('goes on byte for byte, with the operator’s credential and nothing of the caller’s (APK-2)', async () => {
    const { value } = await keyOf(open)
    const sent = '{ "model":"gpt-good",\n "messages" : [ ] , "x": 1.0e2 }'
    const answer = await ask(value, sent, '/openai/v1/chat/completions?x=1', [
      ['OpenAI-Organization', 'org-mine'],
      ['OpenAI-Project', 'mine'],
      ['X-Api-Key', 'mine'],
      ['Cookie', 'mine=1'],
      ['X-Postern-Account', 'forged'],
      ['X-Forwarded-For', '1.2.3.4'],
      ['Accept-Encoding', 'gzip, br'],
      ['OpenAI-Beta', 'assistants=v2'],
    ])
    expect(answer.status).toBe(200)
    const [seen] = provider.seen
    expect(seen?.body.toString('latin1')).toBe(sent)
    expect(seen?.path).toBe('/v1/chat/completions?x=1')
    expect(seen?.headers).toEqual({
      host: new URL(provider.url).host,
      'content-type': 'application/json',
      'openai-beta': 'assistants=v2',
      authorization: `Bearer ${providerKey}`,
      'x-request-id': answer.header('x-request-id'),
      'accept-encoding': 'identity',
      'content-length': String(sent.length),
    })
  })

  it('does not tell the caller of the operator’s account', async () => {
    const { value } = await keyOf(open)
    provider.answer = (_request, response) => {
      response.writeHead(200, {
        'openai-organization': 'org-of-the-operator',
        'openai-project': 'of-the-operator',
        'set-cookie': '__cf_bm=1',
        'x-ratelimit-remaining-tokens': '149984',
        'openai-processing-ms': '5',
      })
      response.end('{}')
    }
    const answer = await ask(value, body())
    expect(answer.header('openai-organization')).toBeNull()
    expect(answer.header('openai-project')).toBeNull()
    expect(answer.header('set-cookie')).toBeNull()
    expect(answer.header('x-ratelimit-remaining-tokens')).toBe('149984')
    expect(answer.header('openai-processing-ms')).toBe('5')
  })

  it('is refused before its body where its head is enough, and is told to send it where it is not', async () => {
    const { value } = await keyOf(open)
    const start = (key: string) =>
      opened(
        `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${body().length}\r\nExpect: 100-continue\r\n\r\n`,
      )
    const refused = start('acme_sk_live_000000000000000')
    expect(await refused.text(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 401 /)
    const allowed = start(value)
    expect(await allowed.text(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    expect(provider.seen).toEqual([])
    allowed.socket.write(body())
    expect(await allowed.text(/"usage"/)).toMatch(/HTTP\/1\.1 200 /)
  })

  it('is decided again once its body is there: a key that was revoked meanwhile is refused', async () => {
    const key = await keyOf(open)
    const client = opened(
      `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key.value}\r\nContent-Length: ${body().length}\r\nExpect: 100-continue\r\n\r\n`,
    )
    await client.text(/100 Continue/)
    await server.api('POST', `/credentials/${key.id}/revoke`, {})
    client.socket.write(body())
    expect(await client.text(/credential_revoked/)).toMatch(/HTTP\/1\.1 401 /)
    expect(provider.seen).toEqual([])
  })

  it.each([
    ['no JSON', 'model=gpt-good', 400, 'request_malformed', 'The body is not a JSON object.'],
    ['cut off', '{"model":"gpt-good"', 400, 'request_malformed', 'The body is not valid JSON'],
    ['nothing', '', 400, 'request_malformed', 'The body is not a JSON object.'],
    ['two models', '{"model":"gpt-good","MODEL":"gpt-x"}', 400, 'request_malformed', 'the field "MODEL" twice'],
    ['too large', `{"model":"${'x'.repeat(1_048_576)}"}`, 413, 'request_too_large', ''],
  ])('that is %s is refused in the provider’s form', async (_what, sent, status, code, said) => {
    const { value } = await keyOf(open)
    const answer = await ask(value, sent)
    expect(answer.status).toBe(status)
    expect(answer.body.error).toMatchObject({ code, type: 'invalid_request_error' })
    expect(answer.body.error.message).toContain(said)
    expect(provider.seen).toEqual([])
  })

  it('may name the models of API, plan and credential, and no other (APK-4)', async () => {
    const ofPlan = await keyOf(listed)
    const own = await keyOf(listed, { models: ['gpt-good-mini'] })
    const status = async (key: Holder, model: string) => (await ask(key.value, body({ model }))).status
    expect([await status(ofPlan, 'gpt-good'), await status(ofPlan, 'gpt-good-mini')]).toEqual([200, 200])
    expect([await status(own, 'gpt-good'), await status(own, 'gpt-good-mini')]).toEqual([403, 200])
    const refused = await ask(ofPlan.value, body({ model: 'gpt-dear' }))
    expect(refused.body.error).toMatchObject({
      code: 'model_not_allowed',
      message: expect.stringContaining('"gpt-dear"'),
    })
    expect(refused.body.error.message).not.toContain('gpt-good')
  })

  it('that names its model in the path is refused before its body', async () => {
    const { value } = await keyOf(listed, { apis: ['gemini'] })
    const head = (model: string) =>
      `POST /gemini/v1beta/models/${model} HTTP/1.1\r\nHost: a\r\nx-goog-api-key: ${value}\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`
    const refused = opened(head('gemini-dear:generateContent'))
    expect(await refused.text(/model_not_allowed/)).toMatch(/^HTTP\/1\.1 403 /)
    for (const odd of ['gemini-good%3AgenerateContent', 'gemini-good'])
      expect(await opened(head(odd)).text(/model_not_allowed/)).toMatch(/^HTTP\/1\.1 403 /)
    const allowed = opened(head('gemini-good:generateContent'))
    await allowed.text(/100 Continue/)
    allowed.socket.write('{}')
    await allowed.text(/HTTP\/1\.1 200/)
    expect(provider.seen.map(({ path }) => path)).toEqual(['/v1beta/models/gemini-good:generateContent'])
  })

  it('whose model cannot be read passes only where no list and no budget has to be kept', async () => {
    const [free, ofList, ofBudget] = [await keyOf(open), await keyOf(listed), await inPlan('tokens')]
    const form = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\ngpt-good\r\n--b--\r\n'
    const send = (key: Holder, path: string) =>
      ask(key.value, form, `/openai${path}`, [['Content-Type', 'multipart/form-data; boundary=b']])
    for (const path of ['/v1/audio/transcriptions', '/v1/files']) {
      expect((await send(free, path)).status).toBe(200)
      expect((await send(ofList, path)).body.error.code).toBe('model_not_allowed')
      expect((await send(ofBudget, path)).body.error.code).toBe('model_not_allowed')
    }
    expect((await ask(ofBudget.value, '{}', '/openai/v1/ping')).status).toBe(200)
    expect((await ask(ofBudget.value, '{}', '/openai/v1/organization/admin_api_keys')).status).toBe(404)
  })
})

describe('a stream (APK-3)', () => {
  it('passes on each event as it comes', async () => {
    const { value } = await keyOf(open)
    let write: (text: string) => void = () => undefined
    provider.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      write = (text) => void response.write(text)
      response.flushHeaders()
    }
    const client = opened(post(value, body({ stream: true })))
    await client.text(/text\/event-stream/)
    for (let i = 0; i < 20; i++) {
      const sentAt = performance.now()
      write(`data: {"choices":[{"delta":{"content":"event ${i}"}}]}\n\n`)
      await client.text(new RegExp(`event ${i}"`))
      expect(performance.now() - sentAt).toBeLessThan(100)
    }
    client.socket.destroy()
  })

  it('is asked for its counts, which only who asked for them gets to see', async () => {
    const { value } = await keyOf(open)
    provider.answer = (sent, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      expect(JSON.parse(sent.body.toString()).stream_options).toEqual({ include_usage: true })
      response.end(
        'data: {"choices":[{"delta":{}}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":1}}\n\ndata: [DONE]\n\n',
      )
    }
    const quiet = await ask(value, body({ stream: true }))
    expect(quiet.text).toBe('data: {"choices":[{"delta":{}}]}\n\ndata: [DONE]\n\n')
    const asking = await ask(value, body({ stream: true, stream_options: { include_usage: true } }))
    expect(asking.text).toContain('"prompt_tokens":1')
  })

  it('that its client leaves is cancelled at the provider, and counted as far as it was seen', async () => {
    const key = await inPlan('tokens')
    provider.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: {"choices":[{"delta":{"content":"${'x'.repeat(2_000)}"}}]}\n\n`)
    }
    const client = opened(post(key.value, body({ stream: true, max_tokens: 900 })))
    await client.text(/xxx/)
    const leftAt = performance.now()
    client.socket.destroy()
    await until('the provider is told', () => provider.cut.length === 1)
    expect(performance.now() - leftAt).toBeLessThan(500)
    provider.answer = completion(1, 1)
    // 500 of text, and what went in: 494 are left, and not the 1,000 of before, nor the 90 that were not reserved.
    const left = async (max: number) => (await ask(key.value, body({ max_tokens: max }))).status
    expect(await left(600)).toBe(429)
    expect(await left(400)).toBe(200)
  })
})

describe('a budget of tokens (APK-4)', () => {
  it('is reserved, settled with what the answer says, and refused with the end of the period', async () => {
    const key = await inPlan('tokens')
    provider.answer = completion(100, 300)
    const first = await ask(key.value, body({ max_tokens: 900 }))
    expect(first.status).toBe(200)
    expect(first.header('ratelimit-policy')).toMatch(/^"tokens";q=1000;qu="tokens";w=31536000$/)
    expect(first.header('ratelimit')).toMatch(/^"tokens";r=9[0-9];t=[0-9]+$/)
    const second = await ask(key.value, body({ max_tokens: 700 }))
    expect(second.status).toBe(429)
    expect(second.body.error).toMatchObject({ code: 'budget_exceeded', type: 'insufficient_quota' })
    expect(second.body.error.message).toContain('"tokens": 600 tokens are left')
    const yearEnd = Date.UTC(new Date().getUTCFullYear() + 1, 0)
    expect(Math.abs(Number(second.header('retry-after')) - (yearEnd - Date.now()) / 1000)).toBeLessThan(5)
    expect(second.header('ratelimit')).toMatch(/^"tokens";r=600;t=/)
    expect(second.header('x-should-retry')).toBe('false')
    expect((await ask(key.value, body({ max_tokens: 500 }))).status).toBe(200)
  })

  it('is not overdrawn by requests that run at once', async () => {
    const key = await inPlan('tokens')
    const waiting: (() => void)[] = []
    provider.answer = (sent, response) => void waiting.push(() => completion(1, 1)(sent, response))
    const asked = Array.from({ length: 30 }, () => ask(key.value, body({ max_tokens: 150 })))
    const refused = asked.map((each) => each.then(({ status }) => status === 429))
    await until('all are decided', async () => {
      const settled = await Promise.all(refused.map((each) => Promise.race([each, Promise.resolve(false)])))
      return settled.filter(Boolean).length + waiting.length === 30
    })
    expect(waiting).toHaveLength(6)
    for (const answer of waiting) answer()
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(6)
  })

  it('counts nothing for what the provider refused, or what never reached it', async () => {
    const key = await inPlan('tokens')
    provider.answer = (_request, response) => {
      response.writeHead(429, { 'retry-after': '9', 'content-type': 'application/json' })
      response.end('{"error":{"code":"theirs"},"usage":{"prompt_tokens":999}}')
    }
    const passed = await ask(key.value, body({ max_tokens: 900 }))
    expect([passed.status, passed.header('retry-after'), passed.body.error.code]).toEqual([429, '9', 'theirs'])
    provider.answer = (_request, response) => void response.destroy()
    expect((await ask(key.value, body({ max_tokens: 900 }))).status).toBe(502)
    provider.answer = completion(1, 1)
    expect((await ask(key.value, body({ max_tokens: 990 }))).status).toBe(200)
  })

  it('keeps what was reserved of a request whose client does not wait for the answer', async () => {
    const key = await inPlan('tokens')
    provider.answer = () => undefined
    const client = opened(post(key.value, body({ max_tokens: 900 })))
    await until('it has arrived', () => provider.seen.length === 1)
    client.socket.destroy()
    await until('it is cancelled', () => provider.cut.length === 1)
    provider.answer = completion(1, 1)
    expect((await ask(key.value, body({ max_tokens: 100 }))).status).toBe(429)
    expect((await ask(key.value, body({ max_tokens: 50 }))).status).toBe(200)
  })

  it('can be a credential’s own, and an account’s by override', async () => {
    const account = await makeAccount(server.api, 'tokens')
    const own = await keyOf(account, { budgets: [{ name: 'own', per: 'credential', tokens: 50, period: 'day' }] })
    expect((await ask(own.value, body({ max_tokens: 60 }))).body.error.message).toContain('"own"')
    const plain = await keyOf(account)
    const { body: before } = await server.api('GET', `/accounts/${account.id}`)
    const overrides = { budgets: [{ name: 'tokens', per: 'credential', tokens: 5_000, period: 'year' }] }
    const changed = await server.api(
      'PATCH',
      `/accounts/${account.id}`,
      { overrides },
      { headers: { 'if-match': `"${before.version}"` } },
    )
    expect(changed.body.overrides.budgets).toEqual(overrides.budgets)
    expect((await ask(plain.value, body({ max_tokens: 4_000 }))).status).toBe(200)
  })
})

describe('a budget of money (APK-4)', () => {
  it('is counted in micro-units at the declared price', async () => {
    const key = await inPlan('money')
    // 1,000 micro-dollars: 100 in (of which 40 cached) cost 80, 200 out cost 400.
    provider.answer = (_request, response) => {
      const usage = { prompt_tokens: 100, completion_tokens: 200, prompt_tokens_details: { cached_tokens: 40 } }
      response.end(JSON.stringify({ usage }))
    }
    const first = await ask(key.value, body({ max_tokens: 400 }))
    expect(first.header('ratelimit-policy')).toContain('"spend";q=1000;qu="micro-USD"')
    const over = await ask(key.value, body({ max_tokens: 300 }))
    expect(over.body.error.message).toContain('0.000520 USD are left')
    expect((await ask(key.value, body({ max_tokens: 250 }))).status).toBe(200)
  })

  it('refuses a model that has no price', async () => {
    const key = await inPlan('money')
    const answer = await ask(key.value, body({ model: 'other' }))
    expect([answer.status, answer.body.error.code]).toEqual([403, 'model_not_allowed'])
    expect(answer.body.error.message).toContain('"other" has no price')
  })
})

describe('verify and explain', () => {
  const described = (key: Holder, more: object = {}) => ({
    api: 'openai',
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { authorization: `Bearer ${key.value}` },
    ip: '203.0.113.7',
    ...more,
  })
  const codes = async (key: Holder, more: object) => {
    const explained = await server.api('POST', '/explain', described(key, more))
    return explained.body.code as string | null
  }

  it('agree with the gateway about models and budgets', async () => {
    const [ofList, ofBudget, ofMoney] = [await keyOf(listed), await inPlan('tokens'), await inPlan('money')]
    const cases: readonly (readonly [Holder, string, number])[] = [
      [ofList, 'gpt-good', 10],
      [ofList, 'gpt-dear', 10],
      [ofBudget, 'gpt-good', 900],
      [ofBudget, 'gpt-good', 1_001],
      [ofMoney, 'gpt-good', 400],
      [ofMoney, 'gpt-good', 501],
      [ofMoney, 'other', 1],
    ]
    for (const [key, model, output] of cases) {
      const explained = await codes(key, { model, tokens: { output } })
      const verified = await server.api('POST', '/verify', described(await sameAs(key), { model, tokens: { output } }))
      provider.answer = completion(0, 0)
      const answer = await ask(key.value, JSON.stringify({ model, max_tokens: output }))
      const gateway = answer.status === 200 ? null : answer.body.error.code
      expect([model, output, explained, verified.body.code]).toEqual([model, output, gateway, gateway])
    }
  })

  it('find prefix and port of an address by the host that is named', async () => {
    const key = await keyOf(open)
    const host = `127.0.0.1:${port()}`
    const asked = { model: 'gpt-good', path: '/openai/v1/chat/completions' }
    expect([await codes(key, asked), await codes(key, { ...asked, host })]).toEqual(['route_unknown', null])
  })

  it('refuse what depends on a model that they are not told of, and charge the estimate', async () => {
    const [free, ofList, ofBudget] = [await keyOf(open), await keyOf(listed), await inPlan('tokens')]
    expect([await codes(free, {}), await codes(ofList, {}), await codes(ofBudget, {})]).toEqual([
      null,
      'model_not_allowed',
      'model_not_allowed',
    ])
    const estimate = { model: 'gpt-good', tokens: { input: 100, output: 500 } }
    const first = await server.api('POST', '/verify', described(ofBudget, estimate))
    expect([first.body.code, first.body.headers['RateLimit']]).toEqual([
      null,
      expect.stringMatching(/^"tokens";r=400;/),
    ])
    expect((await server.api('POST', '/verify', described(ofBudget, estimate))).body.code).toBe('budget_exceeded')
    const steps = (await server.api('POST', '/explain', described(ofBudget, estimate))).body.trace
    expect(steps.slice(-4).map(({ step, outcome }: { step: string; outcome: string }) => [step, outcome])).toEqual([
      ['model', 'pass'],
      ['rate_limits', 'pass'],
      ['quotas', 'pass'],
      ['budgets', 'fail'],
    ])
  })

  /** A credential like it, in an account of its own, so that charging one leaves the other as it is. */
  async function sameAs(key: Holder): Promise<Holder> {
    const { body: account } = await server.api('GET', `/accounts/${key.account}`)
    return await inPlan(account.plan)
  }
})

describe('forward-auth in front of a provider', () => {
  const question = async (api: 'openai' | 'gemini', { value }: Holder, uri: string) => {
    const answer = await request(Number(new URL(server.ops).port), {
      target: `/forward-auth:${api}`,
      from: proxy,
      headers: [
        ['X-Forwarded-Method', 'POST'],
        ['X-Forwarded-Uri', uri],
        ['X-Forwarded-For', '203.0.113.7'],
        ['X-Forwarded-Proto', 'https'],
        api === 'gemini' ? ['X-Goog-Api-Key', value] : bearer(value),
      ],
    })
    return answer.status === 200 ? null : answer.header('x-postern-code')
  }
  const chat = '/v1/chat/completions'
  const generate = (model: string) => `/v1beta/models/${model}:generateContent`

  it('lets pass what names its model in a body that it does not see, where no list and no budget has to be kept', async () => {
    const [free, ofList] = [await keyOf(open), await keyOf(listed)]
    const [ofTokens, ofMoney] = [await inPlan('tokens'), await inPlan('money')]
    const own = await keyOf(open, { models: ['gpt-good'] })
    const asked = [free, ofList, ofTokens, ofMoney, own].map((key) => question('openai', key, chat))
    expect(await Promise.all(asked)).toEqual([null, ...Array.from({ length: 4 }, () => 'model_not_allowed')])
  })

  it('lets pass what runs no model, whatever list and budget there is', async () => {
    for (const key of [await keyOf(listed), await inPlan('tokens')])
      expect(await question('openai', key, '/v1/ping')).toBeNull()
  })

  it('holds a model in the path against the lists, and refuses it where a budget applies: no answer is seen', async () => {
    const fields = { apis: ['gemini'] }
    const [free, ofTokens] = [await keyOf(open, fields), await inPlan('wide', fields)]
    expect(await question('gemini', free, generate('gemini-good'))).toBeNull()
    expect(await question('gemini', free, generate('gemini-dear'))).toBe('model_not_allowed')
    expect(await question('gemini', ofTokens, generate('gemini-good'))).toBe('model_not_allowed')
    const described = {
      api: 'gemini',
      method: 'POST',
      path: generate('gemini-good'),
      headers: { 'x-goog-api-key': ofTokens.value },
      ip: '203.0.113.7',
    }
    const codeOf = async (more: object) => {
      return (await server.api('POST', '/explain', { ...described, ...more })).body.code as string | null
    }
    expect(await codeOf({})).toBe('model_not_allowed')
    expect(await codeOf({ model: 'gemini-good', tokens: { input: 0, output: 1_000_000 } })).toBeNull()
  })
})

describe('models and budgets of a credential', () => {
  const budgets = [
    { name: 'tokens', per: 'credential', tokens: 1_000, period: 'month' },
    { name: 'spend', per: 'credential', money: 2.5, currency: 'USD', period: 'day' },
  ]
  const create = (fields: object) =>
    server.api('POST', `/projects/${open.project}/credentials`, {
      name: 'Key',
      kind: 'secret',
      apis: ['openai'],
      scopes: [],
      ...fields,
    })

  it('are read as they were said, changed one by one, and in force at once', async () => {
    const made = await create({ models: ['gpt-good'], budgets })
    expect(made.body.credential).toMatchObject({ models: ['gpt-good'], budgets })
    const { id, version } = made.body.credential
    const key = made.body.secret.value
    expect((await ask(key, body({ model: 'gpt-dear' }))).status).toBe(403)
    const changed = await server.api(
      'PATCH',
      `/credentials/${id}`,
      { models: null },
      { headers: { 'if-match': `"${version}"` } },
    )
    expect(changed.body).toMatchObject({ models: null, budgets })
    expect((await ask(key, body({ model: 'gpt-dear', max_tokens: 900 }))).status).toBe(200)
    const read = await server.api('GET', `/credentials/${id}`)
    expect(read.body).toMatchObject({ models: null, budgets })
    expect((await server.api('GET', '/plans/listed')).body).toMatchObject({ models: ['gpt-good*', 'gemini-good'] })
    expect((await server.api('GET', '/plans/money')).body.budgets).toMatchObject([{ money: 0.001, currency: 'USD' }])
  })

  it.each<[string, object, string]>([
    ['neither tokens nor money', { budgets: [{ ...budgets[0], tokens: undefined }] }, '/budgets/0'],
    ['both', { budgets: [{ ...budgets[1], tokens: 1 }] }, '/budgets/0'],
    ['too fine an amount', { budgets: [{ ...budgets[1], money: 0.0000001 }] }, '/budgets/0/money'],
    ['another currency', { budgets: [{ ...budgets[1], currency: 'EUR' }] }, '/budgets/0/currency'],
    ['somebody else’s subject', { budgets: [{ ...budgets[0], per: 'account' }] }, '/budgets/0/per'],
    ['a name twice', { budgets: [budgets[0], budgets[0]] }, '/budgets/1/name'],
  ])('are refused with %s', async (_what, fields, path) => {
    const answer = await create(fields)
    expect([answer.status, answer.body.errors[0].path]).toEqual([422, path])
  })
})

describe('usage and request log', () => {
  it('tell tokens and cost by credential and model', async () => {
    const key = await keyOf(open)
    provider.answer = completion(1_000, 500)
    const id = (await ask(key.value, body())).header('x-request-id')
    await ask(key.value, body())
    await ask(key.value, body({ model: 'other' }))
    await until('the log has it', async () => (await server.api('GET', `/requests/${id}`)).status === 200)
    const row = (await server.api('GET', `/requests/${id}`)).body
    const took = { input_tokens: 1_000, cached_input_tokens: 0, output_tokens: 500, reasoning_tokens: 0 }
    expect(row.llm).toEqual({ model: 'gpt-good', ...took, cost: 0.002, currency: 'USD', estimated: false })
    const from = new Date(Date.now() - 3_600_000).toISOString()
    const to = new Date(Date.now() + 3_600_000).toISOString()
    const usageOf = async () =>
      (await server.api('GET', `/usage?from=${from}&to=${to}&step=day&credential=${key.id}&group_by=credential`)).body
        .models
    await until('all is counted', async () =>
      (await usageOf()).some(({ requests }: { requests: number }) => requests === 2),
    )
    await until('both models are', async () => (await usageOf()).length === 2)
    const models = (await usageOf()).toSorted(
      (a: { requests: number }, b: { requests: number }) => b.requests - a.requests,
    )
    expect(models).toMatchObject([
      {
        group: { credential: key.id, model: 'gpt-good' },
        requests: 2,
        input_tokens: 2_000,
        output_tokens: 1_000,
        cost: { USD: 0.004 },
      },
      { group: { credential: key.id, model: 'other' }, requests: 1, input_tokens: 1_000, output_tokens: 500, cost: {} },
    ])
  })
})

describe('what was spent', () => {
  it('survives a restart, and the operator’s credential is written nowhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-llm-'))
    try {
      const options = { yaml: yaml(provider.url), ownPorts: 1, folder }
      const before = await startTestServer(options)
      const account = await makeAccount(before.api, 'tokens')
      const { value } = await issue(before.api, account.project, { apis: ['openai'], scopes: [] })
      const send = (at: TestServer, max: number) =>
        request(Number(new URL(at.own[0] ?? '').port), {
          method: 'POST',
          target: '/openai/v1/chat/completions',
          headers: [bearer(value)],
          body: body({ max_tokens: max }),
        })
      provider.answer = completion(200, 300)
      expect((await send(before, 900)).status).toBe(200)
      await before.stop()
      const after = await startTestServer(options)
      expect((await send(after, 510)).status).toBe(429)
      expect((await send(after, 400)).status).toBe(200)
      await after.stop()
      expect([...before.logged, ...after.logged].join()).not.toContain(providerKey)
      for (const file of filesIn(folder))
        expect([file, readFileSync(file).includes(providerKey)]).toEqual([file, false])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))
}

function post(key: string, sent: string): string {
  return `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${sent.length}\r\n\r\n${sent}`
}

/** A connection that has sent this, and all that has come on it. */
function opened(sent: string): { readonly socket: Socket; text(until: RegExp): Promise<string> } {
  const socket = connect(port(), '127.0.0.1')
  let all = ''
  socket.on('data', (chunk) => (all += chunk.toString('latin1'))).on('error', () => undefined)
  socket.write(sent)
  return {
    socket,
    text: async (wanted) => {
      await until(`${String(wanted)} comes`, () => wanted.test(all))
      return all
    },
  }
}
