import type { Code } from '@postern/contract'

import type { Evaluation, Refusal } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { refuse } from '../core/decision/refuse.ts'
import type { ReceivedRequest } from './received.ts'
import type { WireLimits } from './wire-limits.ts'

/**
 * The first look at a request, before anything else does: what could be read in two ways, or is out of bounds, goes
 * no further. Null where the head is plain. Node's parser has already refused control characters, folded lines,
 * spaces before colons, and Content-Length beside Transfer-Encoding.
 */
export function wireFault(req: ReceivedRequest, limits: WireLimits): Code | null {
  const { rawHeaders, url = '' } = req
  if (rawHeaders.length > 2 * limits.headerLinesMax) return 'headers_too_large'
  if (url.length > limits.targetBytesMax) return 'uri_too_long'
  // Absolute-form and asterisk-form name no path of an API (RFC 9112, section 3.2).
  if (url.charCodeAt(0) !== 0x2f) return 'request_malformed'
  if (req.httpVersionMajor !== 1) return 'request_malformed'
  // Would show the caller what the gateway adds for the upstream (RFC 9110, section 9.3.8).
  if (req.method === 'TRACE') return 'request_malformed'
  return req.head.fault
}

/** What a parser's error is called. The text of the error never reaches the client. */
export function parserFault(error: NodeJS.ErrnoException): Code {
  switch (error.code ?? '') {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large'
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'request_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'request_timeout'
    default:
      return 'request_malformed'
  }
}

/** A request of which nothing but its peer is believed, refused with that code. */
export function wireEvaluation(facts: Pick<RequestFacts, 'peer' | 'encrypted'>, code: Code): Evaluation {
  return {
    allowed: false,
    refusal: refuse(code),
    api: null,
    route: null,
    prefixLength: 0,
    query: '',
    environment: null,
    clientIp: facts.peer,
    secure: facts.encrypted,
    presented: null,
    principal: null,
    charge: null,
    corsOrigin: null,
    preflight: false,
    checks: 0,
    trace: null,
    exposed: null,
  }
}

/** The same request, refused after all. */
export function refusedAs(
  evaluation: Evaluation,
  code: Code,
  more: Partial<Pick<Refusal, 'hint' | 'retryAfterMs'>> = {},
): Evaluation {
  return { ...evaluation, allowed: false, refusal: refuse(code, more), charge: null }
}
