import type { IncomingMessage } from 'node:http'

import type { Clock } from '../base/clock.ts'
import type { RequestFacts } from '../core/decision/facts.ts'

/**
 * What is known of a request before anything is decided: as received, nothing trusted. `body`: whether whoever asks
 * will read it where the decision depends on it.
 */
export function factsOf(
  req: IncomingMessage,
  host: string,
  from: Pick<RequestFacts, 'peer' | 'localPort' | 'encrypted' | 'plainOnTls' | 'seen'>,
  clock: Clock,
  body: 'pending' | 'unread',
): RequestFacts {
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    host,
    localPort: from.localPort,
    headers: req.rawHeaders,
    peer: from.peer,
    encrypted: from.encrypted,
    plainOnTls: from.plainOnTls ?? false,
    seen: from.seen,
    now: clock.now(),
    monotonic: clock.monotonic(),
    llm: body,
  }
}
