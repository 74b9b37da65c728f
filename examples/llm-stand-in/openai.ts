import {
  bearerOf,
  field,
  list,
  text,
  type Call,
  type Reply,
  type StandIn,
  type StreamedEvent,
  typedEvent,
} from './call.ts'
import { bounded, promptOf, replyTo, tokensOf } from './words.ts'

const created = 1_790_000_000

/** OpenAI's form of chat completions, responses, embeddings and models. */
export const openai: StandIn = {
  keyOf: bearerOf,
  refuse: (status, message) => ({
    error: { message, type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', param: null, code: null },
  }),
  answer: (call) => {
    switch (`${call.method} ${call.path}`) {
      case 'POST /v1/chat/completions':
        return chat(call, field(field(call.body, 'stream_options'), 'include_usage') === true)
      case 'POST /v1/responses':
        return responses(call)
      case 'POST /v1/embeddings':
        return embeddings(call)
      case 'GET /v1/models':
        return { status: 200, json: { object: 'list', data: [model('stand-in')] } }
      default:
        return null
    }
  },
}

/** The same in Mistral's: it always ends a stream with its counts, and refuses to be asked for them. */
export const mistral: StandIn = {
  ...openai,
  refuse: (status, message) => ({
    object: 'error',
    message,
    type: 'invalid_request_error',
    param: null,
    code: String(status),
  }),
  answer: (call) => {
    if (field(call.body, 'stream_options') !== undefined)
      return {
        status: 422,
        json: {
          detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }],
        },
      }
    return call.path === '/v1/chat/completions' ? chat(call, null) : openai.answer(call)
  },
}

function model(id: string) {
  return { id, object: 'model', created, owned_by: 'stand-in' }
}

/** `counts`: true in an event of their own, null within the last one, false never. */
function chat({ body }: Call, counts: boolean | null): Reply {
  const prompt = promptOf(field(body, 'messages'))
  const bound = field(body, 'max_completion_tokens') ?? field(body, 'max_tokens')
  const words = bounded(replyTo(prompt), bound)
  const usage = {
    prompt_tokens: tokensOf(prompt),
    completion_tokens: words.length,
    total_tokens: tokensOf(prompt) + words.length,
  }
  const head = { id: 'chatcmpl-stand-in', created, model: text(field(body, 'model')) }
  if (field(body, 'stream') !== true) {
    const message = { role: 'assistant', content: words.join('') }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    return { status: 200, json: { ...head, object: 'chat.completion', choices, usage } }
  }
  const chunk = (choices: readonly object[], more: object = {}): StreamedEvent => ({
    data: JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more }),
  })
  const none = counts === true ? { usage: null } : {}
  return {
    events: [
      chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }], none),
      ...words.map((word) => chunk([{ index: 0, delta: { content: word }, finish_reason: null }], none)),
      chunk([{ index: 0, delta: { content: '' }, finish_reason: 'stop' }], counts === null ? { usage } : none),
      ...(counts === true ? [chunk([], { usage })] : []),
      { data: '[DONE]' },
    ],
  }
}

function responses({ body }: Call): Reply {
  const prompt = promptOf(field(body, 'input'))
  const words = bounded(replyTo(prompt), field(body, 'max_output_tokens'))
  const content = [{ type: 'output_text', text: words.join(''), annotations: [] }]
  const item = { id: 'msg_stand-in', type: 'message', role: 'assistant', status: 'completed', content }
  const head = { id: 'resp_stand-in', object: 'response', created_at: created, model: text(field(body, 'model')) }
  const usage = {
    input_tokens: tokensOf(prompt),
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: words.length,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokensOf(prompt) + words.length,
  }
  const response = { ...head, status: 'completed', output: [item], usage }
  if (field(body, 'stream') !== true) return { status: 200, json: response }
  const at = { item_id: item.id, output_index: 0, content_index: 0 }
  return {
    events: [
      typedEvent('response.created', { response: { ...head, status: 'in_progress', output: [] } }),
      typedEvent('response.output_item.added', {
        output_index: 0,
        item: { ...item, status: 'in_progress', content: [] },
      }),
      typedEvent('response.content_part.added', { ...at, part: { type: 'output_text', text: '', annotations: [] } }),
      ...words.map((delta) => typedEvent('response.output_text.delta', { ...at, delta })),
      typedEvent('response.output_text.done', { ...at, text: words.join('') }),
      typedEvent('response.output_item.done', { output_index: 0, item }),
      typedEvent('response.completed', { response }),
    ],
  }
}

function embeddings({ body }: Call): Reply {
  const input = field(body, 'input')
  const texts = typeof input === 'string' ? [input] : list(input).map(text)
  const tokens = texts.reduce((sum, each) => sum + tokensOf(each), 0)
  const data = texts.map((each, index) => ({ object: 'embedding', index, embedding: [each.length / 100, 0.5] }))
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  return { status: 200, json: { object: 'list', data, model: text(field(body, 'model')), usage } }
}
