import { type Result, fail, ok } from '../../base/result.ts'
import type { LlmFacts } from '../decision/facts.ts'
import { headerValues } from '../decision/headers.ts'
import type { LlmApi } from './api.ts'
import { type JsonObject, memberValue, readJsonObject } from './json-object.ts'
import { isModelName } from './models.ts'
import type { LlmOperation } from './provider.ts'
import { estimateTokens, tokensPerBlob } from './tokens.ts'

/** A request to a model whose body has been read. */
export interface ReadRequest {
  readonly facts: LlmFacts
  /** As it is sent on: byte for byte, but for `stream_options` where `asked`. */
  readonly body: Buffer
  /** The stream was asked for counts that the client did not ask for. */
  readonly asked: boolean
}

/**
 * Reads a body once its head has been allowed. `model`: as the path names it; null where the body does. The error is
 * a sentence for the caller.
 */
export function readModelRequest(
  llm: LlmApi,
  operation: LlmOperation,
  model: string | null,
  headers: readonly string[],
  body: Buffer,
): Result<ReadRequest, string> {
  const unreadable = encodingFault(headers)
  if (unreadable !== null) return fail(unreadable)
  const object = readJsonObject(body)
  if (!object.ok) return object
  const asked = llm.provider.asked(object.value)
  const named = model ?? asked.model
  if (named !== null && !isModelName(named)) return fail('The model has a name that no model has.')
  if (model !== null && llm.provider.contradicts(object.value, model))
    return fail('The body names another model than the path.')
  const { textBytes, blobs } = object.value
  const facts = {
    model: named,
    inputTokens: estimateTokens(textBytes) + blobs * tokensPerBlob,
    outputTokens: asked.outputTokens,
  }
  const counted = llm.asksForUsage && operation.asksForUsage && asked.stream ? withCounts(object.value) : null
  return ok({ facts, body: counted ?? body, asked: counted !== null })
}

/** What is compressed, or in another character set than JSON's own, could be read in another way than by us. */
function encodingFault(headers: readonly string[]): string | null {
  const plain = headerValues(headers, 'content-encoding').every((encoding) => encoding.toLowerCase() === 'identity')
  if (!plain) return 'The body is compressed; send it as it is.'
  const [type = '', another] = headerValues(headers, 'content-type')
  if (another !== undefined) return 'The body has two types; send one Content-Type.'
  const charsets = type.matchAll(/;\s*charset\s*=\s*"?([^";\s]*)/gi)
  for (const [, charset = ''] of charsets)
    if (!/^utf-?8$/i.test(charset)) return 'The body is in another character set than UTF-8.'
  return null
}

/**
 * The same body with `stream_options.include_usage` set; null where the client set it, or wrote something there that
 * is for the provider to refuse.
 */
function withCounts(object: JsonObject): Buffer | null {
  const { body, members } = object
  const span = members.get('stream_options')
  if (span === undefined) {
    const open = body.indexOf(0x7b) + 1
    return Buffer.concat([
      body.subarray(0, open),
      Buffer.from('"stream_options":{"include_usage":true},'),
      body.subarray(open),
    ])
  }
  const options = memberValue(object, 'stream_options')
  if (options !== null && (typeof options !== 'object' || Array.isArray(options))) return null
  if (options !== null && 'include_usage' in options && options.include_usage === true) return null
  const text = JSON.stringify({ ...options, include_usage: true })
  return Buffer.concat([body.subarray(0, span.start), Buffer.from(text), body.subarray(span.end)])
}
