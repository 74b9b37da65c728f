import { compileIpRanges, parseIp } from '../../base/ip.ts'
import type { TransportRules } from '../../core/apis/api.ts'
import type { EndpointRequest } from '../../core/oauth/endpoint.ts'
import { type PageRequest, readRequest } from '../request.ts'

export const transport: TransportRules = {
  trustedProxies: compileIpRanges(['10.0.0.1']),
  plainHttpFrom: compileIpRanges(['127.0.0.0/8']),
}

interface Sent {
  readonly method?: string
  readonly target?: string
  /** Name, value, name, value, … */
  readonly headers?: readonly string[]
  readonly body?: string
  readonly peer?: string
  readonly encrypted?: boolean
  readonly plainOnTls?: boolean
}

/** A request as the console's listener hands it on; over HTTPS unless said otherwise. */
export function received(sent: Sent = {}): EndpointRequest {
  const { method = 'GET', target = '/sign-in', headers = [], body = '', peer = '192.0.2.7', encrypted = true } = sent
  return {
    facts: {
      method,
      target,
      host: 'id.example.com',
      localPort: 8081,
      headers,
      peer: parseIp(peer) ?? 0,
      encrypted,
      ...(sent.plainOnTls === true && { plainOnTls: true }),
      now: 1_000,
      monotonic: 0,
    },
    body: Buffer.from(body),
    requestId: 'req_1',
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- pages hand it on and never look into it
    matched: {} as EndpointRequest['matched'],
  }
}

export const form = ['Content-Type', 'application/x-www-form-urlencoded'] as const

export function aRequest(sent: Sent = {}, publicUrl = 'https://id.example.com'): PageRequest {
  const read = readRequest(received(sent), { publicUrl, transport })
  if (!read.ok) throw new Error(read.error)
  return read.value
}
