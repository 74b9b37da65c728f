import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { Mistral } from '@mistralai/mistralai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startStandIn, type ProviderStandIn } from '../examples/llm-stand-in/stand-in.ts'
import { issue, makeAccount, type Account } from './support/issue.ts'
import { startTestServer, type TestServer } from './support/server.ts'

/** Official clients, with nothing changed but the base URL and the key (APK-2, APK-3). */

const providerKey = 'key-of-the-operator-at-the-provider'
const said = 'I am a stand-in, not a model. You said: hello there.'

let standIn: ProviderStandIn
let server: TestServer
let account: Account
let key: string
let revoked: string
let spent: string

const providers = ['openai', 'anthropic', 'mistral', 'gemini', 'ollama']

beforeAll(async () => {
  standIn = await startStandIn(0, providerKey)
  server = await startTestServer({
    yaml: `
apis:
${providers
  .map(
    (provider) => `
  ${provider}:
    address: ":PORT0/${provider}"
    upstream: http://127.0.0.1:${standIn.port}/${provider}
    upstream_credential: ${providerKey}
    llm: {provider: ${provider}}`,
  )
  .join('')}
plans:
  pro: {apis: [${providers.join()}], kinds: [secret], models: ["stand-in*", busy]}
`,
    ownPorts: 1,
  })
  account = await makeAccount(server.api, 'pro')
  const fields = { apis: providers, scopes: [] }
  key = (await issue(server.api, account.project, fields)).value
  const dead = await issue(server.api, account.project, fields)
  await server.api('POST', `/credentials/${dead.id}/revoke`, {})
  revoked = dead.value
  const budgets = [{ name: 'tiny', per: 'credential', tokens: 1, period: 'year' }]
  spent = (await issue(server.api, account.project, { ...fields, budgets })).value
})
afterAll(async () => {
  await server.stop()
  await standIn.close()
})

const at = (provider: string): string => `${server.own[0]}/${provider}`
const messages = [{ role: 'user' as const, content: 'hello there' }]

describe('openai', () => {
  const client = (apiKey = key, provider = 'openai') =>
    new OpenAI({ apiKey, baseURL: `${at(provider)}/v1`, maxRetries: 0, organization: 'org-of-the-caller' })

  it('answers a chat completion, plain and streamed', async () => {
    const plain = await client().chat.completions.create({ model: 'stand-in', messages })
    expect(plain.choices[0]?.message.content).toBe(said)
    expect(plain.usage).toEqual({ prompt_tokens: 2, completion_tokens: 11, total_tokens: 13 })
    const stream = await client().chat.completions.create({ model: 'stand-in', messages, stream: true })
    let text = ''
    // As many programs read it: an event without choices would break them.
    for await (const { choices } of stream) {
      const [choice] = choices
      if (choice === undefined) throw new TypeError('Cannot read properties of undefined')
      text += choice.delta.content ?? ''
    }
    expect(text).toBe(said)
  })

  it('streams the counts to whoever asks for them', async () => {
    const options = { include_usage: true }
    const stream = await client().chat.completions.create({
      model: 'stand-in',
      messages,
      stream: true,
      stream_options: options,
    })
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 13 } })
  })

  it('answers responses, plain and streamed, embeddings and models', async () => {
    const plain = await client().responses.create({ model: 'stand-in', input: 'hello there' })
    expect(plain.output_text).toBe(said)
    const stream = await client().responses.create({ model: 'stand-in', input: 'hello there', stream: true })
    let text = ''
    for await (const event of stream) if (event.type === 'response.output_text.delta') text += event.delta
    expect(text).toBe(said)
    const embedded = await client().embeddings.create({ model: 'stand-in', input: 'hello there' })
    expect(embedded.usage.total_tokens).toBe(2)
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(['stand-in'])
  })

  it('throws its own errors, with our code and request id', async () => {
    const call = (apiKey: string, model = 'stand-in') => client(apiKey).chat.completions.create({ model, messages })
    const dead = await call(revoked).catch((error: unknown) => error)
    expect(dead).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(dead).toMatchObject({
      status: 401,
      code: 'credential_revoked',
      requestID: expect.stringMatching(/^req_[0-9a-f]{32}$/),
      error: { request_id: expect.stringMatching(/^req_/) },
    })
    const other = await call(key, 'gpt-other').catch((error: unknown) => error)
    expect(other).toBeInstanceOf(OpenAI.PermissionDeniedError)
    expect(other).toMatchObject({ code: 'model_not_allowed', param: 'model' })
    const broke = await call(spent).catch((error: unknown) => error)
    expect(broke).toBeInstanceOf(OpenAI.RateLimitError)
    expect(broke).toMatchObject({ code: 'budget_exceeded', type: 'insufficient_quota' })
  })

  it('does not try again by itself what only the next period can cure', async () => {
    let calls = 0
    const counting: typeof fetch = (...asked) => {
      calls++
      return fetch(...asked)
    }
    const trying = new OpenAI({ apiKey: spent, baseURL: `${at('openai')}/v1`, maxRetries: 2, fetch: counting })
    await trying.chat.completions.create({ model: 'stand-in', messages }).catch(() => null)
    expect(calls).toBe(1)
  })

  it('sees the provider’s own 429 with its headers', async () => {
    const call = client().chat.completions.create({ model: 'busy', messages })
    const error = await call.catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    const { headers } = error as InstanceType<typeof OpenAI.RateLimitError>
    expect(headers.get('retry-after')).toBe('7')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
    expect(headers.get('openai-organization')).toBeNull()
  })

  it('reaches an OpenAI-compatible server that needs no key', async () => {
    const plain = await client(key, 'ollama').chat.completions.create({ model: 'stand-in', messages })
    expect(plain.choices[0]?.message.content).toBe(said)
  })
})

describe('@anthropic-ai/sdk', () => {
  const client = (apiKey = key) => new Anthropic({ apiKey, baseURL: at('anthropic'), maxRetries: 0 })
  const asked = { model: 'stand-in', max_tokens: 100, messages }

  it('answers a message, plain and streamed', async () => {
    const plain = await client().messages.create(asked)
    expect(plain.content).toMatchObject([{ type: 'text', text: said }])
    expect(plain.usage).toMatchObject({ input_tokens: 2, output_tokens: 11 })
    const stream = client().messages.stream(asked)
    expect(await stream.finalText()).toBe(said)
    expect((await client().messages.countTokens({ model: 'stand-in', messages })).input_tokens).toBe(2)
  })

  it('takes the key in either of its places', async () => {
    const bearer = new Anthropic({ apiKey: null, authToken: key, baseURL: at('anthropic') })
    expect((await bearer.messages.create(asked)).role).toBe('assistant')
    const answer = await fetch(`${at('anthropic')}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    })
    expect(answer.status).toBe(200)
  })

  it('throws its own errors, with our code and request id', async () => {
    const call = (apiKey: string, model = 'stand-in') => client(apiKey).messages.create({ ...asked, model })
    const dead = await call(revoked).catch((error: unknown) => error)
    expect(dead).toBeInstanceOf(Anthropic.AuthenticationError)
    expect(dead).toMatchObject({
      status: 401,
      type: 'authentication_error',
      errorCode: 'credential_revoked',
      requestID: expect.stringMatching(/^req_[0-9a-f]{32}$/),
    })
    const other = await call(key, 'claude-other').catch((error: unknown) => error)
    expect(other).toBeInstanceOf(Anthropic.PermissionDeniedError)
    expect(other).toMatchObject({ errorCode: 'model_not_allowed' })
    const broke = await call(spent).catch((error: unknown) => error)
    expect(broke).toBeInstanceOf(Anthropic.RateLimitError)
    expect(broke).toMatchObject({ errorCode: 'budget_exceeded' })
    const busy = await call(key, 'busy').catch((error: unknown) => error)
    expect(busy).toBeInstanceOf(Anthropic.RateLimitError)
    const { headers } = busy as InstanceType<typeof Anthropic.RateLimitError>
    expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
  })
})

describe('@mistralai/mistralai', () => {
  const client = (apiKey = key) => new Mistral({ apiKey, serverURL: at('mistral') })

  it('answers a chat completion, plain and streamed', async () => {
    const plain = await client().chat.complete({ model: 'stand-in', messages })
    expect(plain.choices[0]?.message?.content).toBe(said)
    let text = ''
    for await (const { data } of await client().chat.stream({ model: 'stand-in', messages })) {
      const piece = data.choices[0]?.delta.content
      text += typeof piece === 'string' ? piece : ''
    }
    expect(text).toBe(said)
  })

  it('throws its own errors, with our code and request id', async () => {
    const call = (apiKey: string, model = 'stand-in') => client(apiKey).chat.complete({ model, messages })
    const cases = [
      [revoked, 'stand-in', 401, 'credential_revoked'],
      [key, 'mistral-other', 403, 'model_not_allowed'],
      [spent, 'stand-in', 429, 'budget_exceeded'],
    ] as const
    for (const [apiKey, model, statusCode, code] of cases) {
      const error = await call(apiKey, model).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'SDKError', statusCode })
      expect(JSON.parse((error as { body: string }).body)).toMatchObject({
        object: 'error',
        code,
        request_id: expect.stringMatching(/^req_/),
      })
    }
  })
})

describe('@google/genai', () => {
  const client = (apiKey = key) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: at('gemini') } })
  const contents = 'hello there'

  it('answers generated content, plain and streamed, embeddings and counts', async () => {
    const plain = await client().models.generateContent({ model: 'stand-in', contents })
    expect(plain.text).toBe(said)
    expect(plain.usageMetadata).toMatchObject({ promptTokenCount: 2, candidatesTokenCount: 11 })
    let text = ''
    for await (const chunk of await client().models.generateContentStream({ model: 'stand-in', contents })) {
      text += chunk.text ?? ''
    }
    expect(text).toBe(said)
    expect((await client().models.countTokens({ model: 'stand-in', contents })).totalTokens).toBe(2)
  })

  it('takes the key in the query as well, and the provider never sees it', async () => {
    const answer = await fetch(`${at('gemini')}/v1beta/models/stand-in:generateContent?key=${key}`, {
      method: 'POST',
      body: JSON.stringify({ contents: [{ parts: [{ text: contents }] }] }),
    })
    expect(answer.status).toBe(200)
  })

  it('throws its own errors, with our code and request id', async () => {
    const call = (apiKey: string, model = 'stand-in') => client(apiKey).models.generateContent({ model, contents })
    const cases = [
      [revoked, 'stand-in', 401, 'credential_revoked', 'UNAUTHENTICATED'],
      [key, 'gemini-other', 403, 'model_not_allowed', 'PERMISSION_DENIED'],
      [spent, 'stand-in', 429, 'budget_exceeded', 'RESOURCE_EXHAUSTED'],
    ] as const
    for (const [apiKey, model, status, code, name] of cases) {
      const error = await call(apiKey, model).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ name: 'ApiError', status })
      expect(JSON.parse((error as Error).message)).toMatchObject({
        error: {
          code: status,
          status: name,
          details: [{ reason: code, metadata: { request_id: expect.any(String) } }],
        },
      })
    }
  })
})
