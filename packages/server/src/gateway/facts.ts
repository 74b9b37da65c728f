import type { IncomingMessage } from 'node:http'

import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValue } from '../core/decision/headers.ts'
import type { RequestLength } from './upstream/request-head.ts'

/**
 * What is known of a request before anything is decided: as received, nothing trusted. `body`: whether whoever asks
 * will read it where the decision depends on it.
 */
export function factsOf(
  req: IncomingMessage,
  from: Pick<RequestFacts, 'peer' | 'localPort' | 'encrypted' | 'plainOnTls'>,
  clock: Clock,
  body: 'pending' | 'unread',
): RequestFacts {
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    host: headerValue(req.rawHeaders, 'host') ?? '',
    localPort: from.localPort,
    headers: req.rawHeaders,
    peer: from.peer,
    encrypted: from.encrypted,
    plainOnTls: from.plainOnTls ?? false,
    now: clock.now(),
    monotonic: clock.monotonic(),
    llm: body,
  }
}

/** Whether and how a request announces a body (RFC 9112, section 6). */
export interface BodyFraming {
  readonly present: boolean
  /** As announced: 0 too is an announcement. */
  readonly length: RequestLength
  /** Waits for 100 Continue before it sends the body. Of HTTP/1.0 the field is not believed. */
  readonly expectsContinue: boolean
  readonly upgrade: boolean
}

export function framingOf(req: IncomingMessage): BodyFraming {
  const lines = req.rawHeaders
  const length = headerValue(lines, 'content-length')
  const chunked = headerValue(lines, 'transfer-encoding') !== null
  return {
    present: chunked || (length !== null && length !== '0'),
    length: chunked ? 'chunked' : length === null ? null : Number(length),
    expectsContinue: req.httpVersionMinor > 0 && headerValue(lines, 'expect') !== null,
    upgrade: headerValue(lines, 'upgrade') !== null,
  }
}
