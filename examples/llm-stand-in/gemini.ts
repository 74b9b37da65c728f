import { field, list, type Call, type StandIn } from './call.ts'
import { bounded, promptOf, replyTo, tokensOf } from './words.ts'

/** Google's form of what is done with a model: `/v1beta/models/{model}:{operation}`. */
export const gemini: StandIn = {
  keyOf: (call) => call.header('x-goog-api-key') || (call.query.get('key') ?? ''),
  refuse: (status, message) => ({
    error: { code: status, message, status: status === 429 ? 'RESOURCE_EXHAUSTED' : 'INVALID_ARGUMENT' },
  }),
  answer: (call) => {
    const [, model = '', operation = ''] = /^\/v1(?:beta)?\/models\/([^/:]+):([A-Za-z]+)$/.exec(call.path) ?? []
    switch (`${call.method} ${operation}`) {
      case 'POST generateContent':
        return { status: 200, json: contents(call, model).at(-1) }
      case 'POST streamGenerateContent': {
        const parts = contents(call, model, true)
        if (call.query.get('alt') !== 'sse') return { status: 200, json: parts }
        return { events: parts.map((part) => ({ data: JSON.stringify(part) })) }
      }
      case 'POST countTokens':
        return { status: 200, json: { totalTokens: tokensOf(promptOf(field(call.body, 'contents'))) } }
      case 'POST embedContent':
        return { status: 200, json: { embedding: { values: [0.25, 0.5] } } }
      default:
        return null
    }
  },
}

function contents({ body }: Call, model: string, streamed = false): readonly object[] {
  const prompt = promptOf(list(field(body, 'contents')))
  const words = bounded(replyTo(prompt), field(field(body, 'generationConfig'), 'maxOutputTokens'))
  const part = (said: readonly string[], count: number, last: boolean) => ({
    candidates: [
      {
        index: 0,
        content: { role: 'model', parts: [{ text: said.join('') }] },
        ...(last && { finishReason: 'STOP' }),
      },
    ],
    usageMetadata: {
      promptTokenCount: tokensOf(prompt),
      candidatesTokenCount: count,
      totalTokenCount: tokensOf(prompt) + count,
    },
    modelVersion: model,
  })
  if (!streamed) return [part(words, words.length, true)]
  return words.map((word, i) => part([word], i + 1, i === words.length - 1))
}
