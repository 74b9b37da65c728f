import { bearerOf, field, text, type Call, type Reply, type StandIn, typedEvent } from './call.ts'
import { bounded, promptOf, replyTo, tokensOf } from './words.ts'

/** Anthropic's form of messages. */
export const anthropic: StandIn = {
  keyOf: (call) => call.header('x-api-key') || bearerOf(call),
  refuse: (status, message) => ({
    type: 'error',
    error: { type: status === 429 ? 'rate_limit_error' : 'invalid_request_error', message },
    request_id: 'req_stand-in',
  }),
  answer: (call) => {
    switch (`${call.method} ${call.path}`) {
      case 'POST /v1/messages':
        return messages(call)
      case 'POST /v1/messages/count_tokens':
        return { status: 200, json: { input_tokens: tokensOf(promptOf(field(call.body, 'messages'))) } }
      default:
        return null
    }
  },
}

function messages({ body }: Call): Reply {
  const prompt = `${text(field(body, 'system'))} ${promptOf(field(body, 'messages'))}`
  const words = bounded(replyTo(prompt), field(body, 'max_tokens'))
  const usage = {
    input_tokens: tokensOf(prompt),
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: words.length,
  }
  const message = {
    id: 'msg_stand-in',
    type: 'message',
    role: 'assistant',
    model: text(field(body, 'model')),
    content: [{ type: 'text', text: words.join('') }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage,
  }
  if (field(body, 'stream') !== true) return { status: 200, json: message }
  return {
    events: [
      typedEvent('message_start', {
        message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
      }),
      typedEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      typedEvent('ping'),
      ...words.map((word) =>
        typedEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word } }),
      ),
      typedEvent('content_block_stop', { index: 0 }),
      typedEvent('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: words.length },
      }),
      typedEvent('message_stop'),
    ],
  }
}
