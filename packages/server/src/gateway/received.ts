import { type IncomingHttpHeaders, IncomingMessage } from 'node:http'

import type { Code } from '@postern/contract'

import { isName } from '../core/decision/headers.ts'
import type { RequestLength } from './upstream/request-head.ts'

/** What addresses and frames a request, found in one walk over its lines. */
export interface ReceivedHead {
  /** Value of the first Host line; '' without one. */
  readonly host: string
  readonly body: BodyFraming
  /** Repeated or odd framing and credential lines. */
  readonly fault: Code | null
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

const noBody: BodyFraming = { present: false, length: null, expectsContinue: false, upgrade: false }

/** `minorVersion` is that of the request (RFC 9112, section 2.3). Of repeated lines the first counts, where any does. */
export function readHead(lines: readonly string[], minorVersion: number): ReceivedHead {
  let host: string | null = null
  let length: string | null = null
  let hosts = 0
  let authorizations = 0
  let lengths = 0
  let encodings = 0
  let expects = false
  let upgrade = false
  let odd = false
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    switch (name.length) {
      case 4:
        if (!isName(name, 'host')) break
        hosts++
        host ??= lines[i + 1] ?? ''
        break
      case 6:
        if (!isName(name, 'expect')) break
        expects = true
        odd ||= !/^100-continue$/i.test(lines[i + 1] ?? '')
        break
      case 7:
        upgrade ||= isName(name, 'upgrade')
        break
      case 13:
        if (isName(name, 'authorization')) authorizations++
        break
      case 14:
        if (!isName(name, 'content-length')) break
        lengths++
        length ??= lines[i + 1] ?? ''
        odd ||= !/^[0-9]{1,15}$/.test(lines[i + 1] ?? '')
        break
      case 17:
        if (!isName(name, 'transfer-encoding')) break
        encodings++
        odd ||= minorVersion === 0 || !/^chunked$/i.test(lines[i + 1] ?? '')
        break
      default:
    }
  }
  const plain = !odd && hosts === 1 && authorizations <= 1 && lengths + encodings <= 1
  return {
    host: host ?? '',
    body:
      lengths + encodings === 0 && !expects && !upgrade
        ? noBody
        : framing(length, encodings > 0, expects && minorVersion > 0, upgrade),
    fault: plain ? null : 'request_malformed',
  }
}

function framing(length: string | null, chunked: boolean, expectsContinue: boolean, upgrade: boolean): BodyFraming {
  return {
    present: chunked || (length !== null && length !== '0'),
    length: chunked ? 'chunked' : length === null ? null : Number(length),
    expectsContinue,
    upgrade,
  }
}

/** A request as Node's server makes it, whose head is read once. */
export class ReceivedRequest extends IncomingMessage {
  #head: ReceivedHead | null = null

  get head(): ReceivedHead {
    return (this.#head ??= readHead(this.rawHeaders, this.httpVersionMinor))
  }
}

const noneOfThem: IncomingHttpHeaders = Object.freeze({})

/**
 * Nobody here reads `headers`, which is made of all lines when it is first asked for. Node's server asks for what frames
 * a request, `Expect` and, of HTTP/1.0, `TE` (and for `Host`, unless `requireHostHeader` is off): where none of them
 * was sent, which is known by now, it need not be made.
 */
Object.defineProperty(ReceivedRequest.prototype, 'headers', {
  get(this: ReceivedRequest): IncomingHttpHeaders {
    if (this.head.body === noBody && this.httpVersionMinor === 1) return noneOfThem
    return Reflect.get(IncomingMessage.prototype, 'headers', this)
  },
})
