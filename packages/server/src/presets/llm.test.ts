import { describe, expect, it } from 'vitest'

import type { ErrorFacts } from '../core/apis/api.ts'
import { createAnswerMeter, type AnswerMeter } from '../core/llm/answer-meter.ts'
import type { LlmApi } from '../core/llm/api.ts'
import { noPrices } from '../core/llm/prices.ts'
import type { LlmOperation, LlmProvider } from '../core/llm/provider.ts'
import { readModelRequest } from '../core/llm/request.ts'
import { noTokens } from '../core/llm/tokens.ts'
import { llmPresets } from './index.ts'

type Provider = keyof typeof llmPresets

function providerOf(name: Provider): LlmProvider {
  const { llm } = llmPresets[name]
  if (llm === null) throw new Error('no provider')
  return llm
}

const generation: LlmOperation = { model: 'body', metered: true, output: true, asksForUsage: true }
const json = ['Content-Type', 'application/json']
const events = ['content-type', 'text/event-stream; charset=utf-8']

function apiOf(name: Provider, fields: Partial<LlmApi> = {}): LlmApi {
  return {
    provider: providerOf(name),
    models: null,
    prices: noPrices,
    defaultOutputTokens: 4_096,
    asksForUsage: true,
    ...fields,
  }
}

function read(name: Provider, body: unknown, more: Partial<LlmApi> = {}, model: string | null = null, lines = json) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const result = readModelRequest(apiOf(name, more), generation, model, lines, bytes)
  return result.ok
    ? { ...result.value.facts, asked: result.value.asked, sent: result.value.body.toString() }
    : result.error
}

describe('a request to a model', () => {
  it('names model, and how much may come out', () => {
    expect(read('openai', { model: 'm', max_tokens: 10, n: 3 })).toMatchObject({ model: 'm', outputTokens: 30 })
    expect(read('openai', { model: 'm', max_completion_tokens: 7 })).toMatchObject({ outputTokens: 7 })
    expect(read('openai', { model: 'm', max_output_tokens: 8 })).toMatchObject({ outputTokens: 8 })
    expect(read('openai', { model: 'm', max_tokens: 'many' })).toMatchObject({ outputTokens: null })
    expect(read('openai', { model: 'm', max_tokens: -1 })).toMatchObject({ outputTokens: null })
    expect(read('anthropic', { model: 'c', max_tokens: 9 })).toMatchObject({ model: 'c', outputTokens: 9 })
    expect(read('mistral', { model: 'k' })).toMatchObject({ model: 'k', outputTokens: null, asked: false })
    expect(llmPresets.mistral.routes.some(({ llm }) => llm?.asksForUsage === true)).toBe(false)
    expect(
      read('gemini', { generationConfig: { maxOutputTokens: 5, candidateCount: 2 } }, {}, 'gemini-x'),
    ).toMatchObject({ model: 'gemini-x', outputTokens: 10 })
    expect(read('gemini', { generation_config: { max_output_tokens: 5 } }, {}, 'g')).toMatchObject({ outputTokens: 5 })
    expect(read('openai', {})).toMatchObject({ model: null })
    expect(read('openai', { model: 7 })).toMatchObject({ model: null })
  })

  it('is estimated by its text, and by what is no text', () => {
    expect(read('openai', { model: 'm', messages: 'x'.repeat(400) })).toMatchObject({ inputTokens: 101 })
    const picture = `data:image/png;base64,${'A'.repeat(100_000)}`
    expect(read('openai', { model: 'm', image: picture })).toMatchObject({ inputTokens: 2_001 })
  })

  it('goes on byte for byte where nothing has to be asked for', () => {
    for (const body of [
      '{ "model" : "m" }',
      '{"model":"m","stream":false}',
      '{"stream":true,"stream_options":{"include_usage":true},"model":"m"}',
      '{"stream":true,"stream_options":7,"model":"m"}',
    ])
      expect(read('openai', body)).toMatchObject({ sent: body, asked: false })
    const streamed = '{"stream":true,"model":"m"}'
    expect(read('openai', streamed, { asksForUsage: false })).toMatchObject({ sent: streamed, asked: false })
    expect(read('mistral', streamed, { asksForUsage: false })).toMatchObject({ sent: streamed, asked: false })
  })

  it('is asked for its counts, and else left as it is, where it streams', () => {
    const sent = (body: string) => {
      const result = read('openai', body)
      if (typeof result === 'string') throw new Error(result)
      expect(result.asked).toBe(true)
      return result.sent
    }
    expect(sent(' {"stream": true, "user": "é"}')).toBe(
      ' {"stream_options":{"include_usage":true},"stream": true, "user": "é"}',
    )
    expect(JSON.parse(sent('{"stream_options": {"include_obfuscation": false} , "stream":true}'))).toEqual({
      stream_options: { include_obfuscation: false, include_usage: true },
      stream: true,
    })
    expect(JSON.parse(sent('{"stream_options":null,"stream":true}'))).toMatchObject({
      stream_options: { include_usage: true },
    })
    expect(JSON.parse(sent('{"stream_options":{"include_usage":false},"stream":true}'))).toMatchObject({
      stream_options: { include_usage: true },
    })
  })

  it('is refused where the provider might read it in another way', () => {
    expect(read('openai', 'model=m')).toBe('The body is not a JSON object.')
    expect(read('openai', '{"model":"a","Model":"b"}')).toBe('The body has the field "Model" twice.')
    expect(read('openai', { model: 'a b' })).toBe('The model has a name that no model has.')
    expect(read('openai', {}, {}, null, ['Content-Encoding', 'gzip'])).toBe('The body is compressed; send it as it is.')
    const twice = ['Content-Encoding', 'identity', 'content-encoding', 'deflate']
    expect(read('openai', {}, {}, null, twice)).toBe('The body is compressed; send it as it is.')
    const types = ['Content-Type', 'application/json', 'content-type', 'application/json; charset=utf-7']
    expect(read('openai', {}, {}, null, types)).toBe('The body has two types; send one Content-Type.')
    const charsets = ['Content-Type', 'application/json; charset=utf-8; charset=utf-7']
    expect(read('openai', {}, {}, null, charsets)).toBe('The body is in another character set than UTF-8.')
    for (const charset of ['utf-7', '"UTF-16"', 'latin1'])
      expect(read('openai', {}, {}, null, ['content-type', `application/json; charset=${charset}`])).toBe(
        'The body is in another character set than UTF-8.',
      )
    expect(read('openai', {}, {}, null, ['content-type', 'application/json; Charset=UTF-8'])).toBeTypeOf('object')
    expect(read('gemini', { model: 'models/other' }, {}, 'gemini-x')).toBe(
      'The body names another model than the path.',
    )
    expect(read('gemini', { requests: [{ model: 'models/gemini-x' }, { model: 'other' }] }, {}, 'gemini-x')).toBe(
      'The body names another model than the path.',
    )
    expect(read('gemini', { model: 'models/gemini-x', requests: [{}] }, {}, 'gemini-x')).toBeTypeOf('object')
  })

  it('has its model in the path of Gemini, with what is done with it', () => {
    const gemini = providerOf('gemini')
    const ofPath = (path: string) => gemini.ofPath(path)
    expect(ofPath('/v1beta/models/g-2:generateContent')).toMatchObject({ model: 'g-2', operation: { metered: true } })
    expect(ofPath('/gemini/v1/models/g-2:countTokens')).toMatchObject({ operation: { model: 'none' } })
    expect(ofPath('/v1beta/models/g-2:predict')).toMatchObject({ model: 'g-2', operation: { metered: false } })
    expect(ofPath('/v1beta/models/g-2:constructor')).toMatchObject({ operation: { metered: false } })
    for (const other of [
      '/v1beta/models/g-2',
      '/v1beta/models/g%3AgenerateContent',
      '/v1beta/tunedModels/g:generateContent',
    ])
      expect(ofPath(other)).toBeNull()
  })
})

function meterOf(
  name: Provider,
  more: { readonly asked?: boolean; readonly operation?: LlmOperation } = {},
): AnswerMeter {
  const { asked = false, operation = generation } = more
  return createAnswerMeter({ provider: providerOf(name), operation, input: 100, output: 1_000, asked })
}

function heard(meter: AnswerMeter, lines: readonly string[], ...chunks: readonly string[]): string {
  meter.head(200, lines)
  let passed = ''
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk)
    meter.data(bytes)
    passed += meter.passed(bytes).toString()
  }
  return passed
}

const sse = (...all: readonly unknown[]) =>
  all.map((each) => `data: ${typeof each === 'string' ? each : JSON.stringify(each)}\n\n`).join('')

describe('an answer of a model', () => {
  it.each<[Provider, object, object]>([
    [
      'openai',
      {
        usage: {
          prompt_tokens: 10,
          completion_tokens: 20,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 5 },
        },
      },
      { input: 10, cachedInput: 4, cacheWrite: 0, output: 20, reasoning: 5 },
    ],
    [
      'openai',
      {
        usage: {
          input_tokens: 10,
          input_tokens_details: { cached_tokens: 4, cache_write_tokens: 1 },
          output_tokens: 20,
          output_tokens_details: { reasoning_tokens: 5 },
        },
      },
      { input: 10, cachedInput: 4, cacheWrite: 1, output: 20, reasoning: 5 },
    ],
    ['mistral', { usage: { prompt_tokens: 3, completion_tokens: 4 } }, { ...noTokens, input: 3, output: 4 }],
    ['ollama', { usage: { prompt_tokens: 3, total_tokens: 3 } }, { ...noTokens, input: 3 }],
    [
      'anthropic',
      {
        usage: {
          input_tokens: 10,
          cache_creation_input_tokens: 2,
          cache_read_input_tokens: 3,
          output_tokens: 20,
          output_tokens_details: { thinking_tokens: 6 },
        },
      },
      { input: 15, cachedInput: 3, cacheWrite: 2, output: 20, reasoning: 6 },
    ],
    [
      'gemini',
      {
        usageMetadata: {
          promptTokenCount: 10,
          toolUsePromptTokenCount: 1,
          cachedContentTokenCount: 4,
          candidatesTokenCount: 20,
          thoughtsTokenCount: 7,
        },
      },
      { input: 11, cachedInput: 4, cacheWrite: 0, output: 27, reasoning: 7 },
    ],
  ])('%s: counts tokens as it reports them', (name, answer, tokens) => {
    const meter = meterOf(name)
    heard(meter, json, JSON.stringify({ id: 'x', ...answer, choices: [] }))
    meter.end()
    expect(meter.taken()).toEqual({ tokens, estimated: false })
  })

  it('in a stream ends with its counts', () => {
    const openai = meterOf('openai')
    heard(
      openai,
      events,
      sse(
        { choices: [{ delta: { content: 'a' } }], usage: null },
        { choices: [], usage: { prompt_tokens: 7, completion_tokens: 1 } },
        '[DONE]',
      ),
    )
    openai.end()
    expect(openai.taken()).toEqual({ tokens: { ...noTokens, input: 7, output: 1 }, estimated: false })
    const anthropic = meterOf('anthropic')
    heard(
      anthropic,
      events,
      sse(
        {
          type: 'message_start',
          message: { usage: { input_tokens: 9, cache_read_input_tokens: 1, output_tokens: 1 } },
        },
        { type: 'content_block_delta', delta: { type: 'text_delta', text: 'hello' } },
        { type: 'message_delta', delta: {}, usage: { output_tokens: 12 } },
      ),
    )
    anthropic.end()
    expect(anthropic.taken().tokens).toEqual({ ...noTokens, input: 10, cachedInput: 1, output: 12 })
    const responses = meterOf('openai')
    heard(
      responses,
      events,
      sse(
        { type: 'response.output_text.delta', delta: 'x' },
        { response: { usage: { input_tokens: 2, output_tokens: 3 } } },
      ),
    )
    responses.end()
    expect(responses.taken()).toEqual({ tokens: { ...noTokens, input: 2, output: 3 }, estimated: false })
    const gemini = meterOf('gemini')
    const part = (count: number) => ({
      candidates: [{ content: { parts: [{ text: 'abcd' }] } }],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: count },
    })
    heard(gemini, events, sse(part(1), part(2)))
    gemini.end()
    expect(gemini.taken().tokens).toEqual({ ...noTokens, input: 5, output: 2 })
    const list = meterOf('gemini')
    heard(list, json, JSON.stringify([part(1), part(2)]))
    list.end()
    expect(list.taken().tokens).toEqual({ ...noTokens, input: 5, output: 2 })
  })

  it('that is cut off counts as what was seen, and says that it is an estimate', () => {
    const anthropic = meterOf('anthropic')
    heard(
      anthropic,
      events,
      sse(
        { message: { usage: { input_tokens: 9, output_tokens: 1 } } },
        { delta: { text: 'x'.repeat(40) } },
        { delta: { thinking: 'y'.repeat(40) } },
      ),
    )
    anthropic.aborted('client_gone')
    expect(anthropic.taken()).toEqual({ tokens: { ...noTokens, input: 9, output: 20 }, estimated: true })
    const openai = meterOf('openai')
    heard(
      openai,
      events,
      sse(
        { choices: [{ delta: { content: 'x'.repeat(20) } }] },
        { choices: [{ delta: { tool_calls: [{ function: { arguments: 'y'.repeat(20) } }] } }] },
      ),
    )
    openai.aborted('upstream_error')
    expect(openai.taken()).toEqual({ tokens: { ...noTokens, input: 100, output: 10 }, estimated: true })
    const plain = meterOf('openai')
    heard(plain, json, `{"choices":["${'x'.repeat(400)}`)
    plain.aborted('client_gone')
    expect(plain.taken()).toEqual({ tokens: { ...noTokens, input: 100, output: 104 }, estimated: true })
  })

  it('that nobody can read, or that nobody waited for, counts as what was reserved', () => {
    const reserved = { tokens: { ...noTokens, input: 100, output: 1_000 }, estimated: true }
    const left = meterOf('openai')
    left.aborted('client_gone')
    expect(left.taken()).toEqual(reserved)
    const silent = meterOf('openai')
    heard(silent, json, '{"status":"queued","usage":null}')
    silent.end()
    expect(silent.taken()).toEqual(reserved)
    const zipped = meterOf('openai')
    heard(zipped, ['content-encoding', 'gzip', ...json], 'xx')
    zipped.end()
    expect(zipped.taken()).toEqual(reserved)
  })

  it('that never came, or was an error, counts nothing', () => {
    const none = { tokens: noTokens, estimated: false }
    expect(meterOf('openai').taken()).toEqual(none)
    const dead = meterOf('openai')
    dead.aborted('upstream_error')
    expect(dead.taken()).toEqual(none)
    const busy = meterOf('openai')
    busy.head(429, json)
    busy.data(Buffer.from('{"usage":{"prompt_tokens":9}}'))
    busy.end()
    expect(busy.taken()).toEqual(none)
  })

  it('without counts in a stream is estimated by its text', () => {
    const meter = meterOf('ollama')
    heard(meter, events, sse({ choices: [{ delta: { content: 'x'.repeat(8) } }] }, '[DONE]'))
    meter.end()
    expect(meter.taken()).toEqual({ tokens: { ...noTokens, input: 100, output: 2 }, estimated: true })
  })

  it('loses the counts that only we asked for, and nothing else', () => {
    const first = sse({ choices: [{ delta: { content: 'a' } }], usage: null })
    const counts = sse({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })
    const done = sse('[DONE]')
    const filter = sse({ choices: [], prompt_filter_results: [] })
    const stream = first + filter + counts + done
    for (let cut = 0; cut <= stream.length; cut++) {
      const meter = meterOf('openai', { asked: true })
      const passed = heard(meter, events, stream.slice(0, cut), stream.slice(cut))
      meter.end()
      expect(passed + meter.held().toString()).toBe(first + filter + done)
      expect(meter.taken().tokens).toMatchObject({ input: 1, output: 1 })
    }
    const theirs = meterOf('openai')
    expect(heard(theirs, events, stream)).toBe(stream)
    const framed = meterOf('openai', { asked: true })
    expect(heard(framed, [...events, 'content-length', String(stream.length)], stream)).toBe(stream)
  })

  it('passes on what it has not seen whole only at the end', () => {
    const meter = meterOf('openai', { asked: true })
    expect(heard(meter, events, 'data: {"cho')).toBe('')
    expect(meter.held().toString()).toBe('data: {"cho')
  })

  it('is not read where nothing of it is counted', () => {
    const meter = meterOf('openai', { operation: { ...generation, metered: false } })
    heard(meter, json, '{"usage":{"prompt_tokens":9}}')
    meter.end()
    expect(meter.taken()).toEqual({ tokens: noTokens, estimated: false })
  })

  it('is no danger, whatever it is', () => {
    for (const name of ['openai', 'anthropic', 'mistral', 'gemini'] as const) {
      for (const odd of [
        'null',
        '7',
        '"x"',
        '[]',
        '{"usage":7}',
        '{"usage":{"prompt_tokens":"9","output_tokens":-1}}',
        '{"choices":[null,{"delta":[]}]}',
        '{"candidates":[{"content":7}]}',
        '{"__proto__":{"usage":{}}}',
        '{',
      ]) {
        const stream = meterOf(name)
        heard(stream, events, `data: ${odd}\n\n`)
        stream.end()
        const plain = meterOf(name)
        heard(plain, json, odd)
        plain.end()
        for (const meter of [stream, plain])
          expect(Object.values(meter.taken().tokens).every((count) => Number.isSafeInteger(count) && count >= 0)).toBe(
            true,
          )
      }
    }
  })
})

describe('an error in the provider’s form', () => {
  const error: ErrorFacts = {
    code: 'budget_exceeded',
    status: 429,
    title: 'The budget is used up',
    detail: 'More.',
    requestId: 'req_1',
    missingScopes: ['a', 'b'],
    allowMethods: [],
  }
  it.each(['openai', 'anthropic', 'mistral', 'gemini', 'ollama'] as const)(
    '%s: has our code and request id',
    (name) => {
      const { contentType, body } = llmPresets[name].errorBody?.(error) ?? { contentType: '', body: '{}' }
      expect(contentType).toMatch(/^application\/json/)
      const text = JSON.stringify(JSON.parse(body))
      for (const part of ['"budget_exceeded"', '"req_1"', 'The budget is used up. More.']) expect(text).toContain(part)
    },
  )
})
