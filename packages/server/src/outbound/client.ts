import { lookup as systemLookup } from 'node:dns/promises'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'

import type { Clock } from '../base/clock.ts'
import { formatIp, ipInRanges, parseIp, type Ip } from '../base/ip.ts'
import { isPublicAddress } from '../base/public-address.ts'
import type { Outbound, OutboundAnswer, OutboundRequest } from '../core/outbound.ts'

export interface OutboundOptions {
  readonly clock: Clock
  /** For tests: addresses of a host instead of the system's. */
  readonly lookup?: (host: string) => Promise<readonly string[]>
  /** For tests: whom to trust instead of the system's authorities. */
  readonly ca?: string
}

type Failure = Extract<OutboundAnswer, { readonly kind: 'failed' }>['reason']
class Failed extends Error {
  readonly reason: Failure

  constructor(reason: Failure) {
    super(reason)
    this.reason = reason
  }
}

/**
 * One call at a time, on a connection of its own, to an address that was looked at: the name is resolved once, every
 * address of it has to be allowed, and the connection goes to one of them and nowhere else.
 */
export function createOutbound(options: OutboundOptions): Outbound {
  return {
    send: async (request) => {
      const gone = new AbortController()
      const { promise: late, reject } = Promise.withResolvers<never>()
      const timer = options.clock.after(request.timeoutMs, () => {
        gone.abort()
        reject(new Failed('timeout'))
      })
      const answer = exchange(request, options, gone.signal)
      try {
        return await Promise.race([answer, late])
      } catch (error) {
        return { kind: 'failed', reason: reasonOf(error) }
      } finally {
        timer.stop()
        gone.abort()
        answer.catch(() => {})
      }
    },
  }
}

async function exchange(
  request: OutboundRequest,
  options: OutboundOptions,
  signal: AbortSignal,
): Promise<OutboundAnswer> {
  const address = await allowedAddress(request, options)
  return await new Promise((resolve, reject) => {
    const { url, method, headers, body, bodyBytesMax } = request
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest
    const sent = send(url, {
      method,
      agent: false,
      signal,
      lookup: always(address),
      headers: { 'User-Agent': 'postern', Connection: 'close', ...pairs(headers) },
      maxHeaderSize: 16_384,
      ...(options.ca !== undefined && { ca: options.ca }),
    })
    sent.once('error', reject)
    sent.once('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ kind: 'answered', status: 101, header: () => null, body: '', cut: false })
    })
    sent.once('response', (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const answered = () =>
        resolve({
          kind: 'answered',
          status: response.statusCode ?? 0,
          header: (name) => valueOf(response.headers[name]),
          body: Buffer.concat(chunks).subarray(0, bodyBytesMax).toString('utf8'),
          cut: bytes > bodyBytesMax,
        })
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes <= bodyBytesMax) return
        answered()
        response.destroy()
      })
      response.once('end', answered)
      response.once('error', reject)
      response.once('aborted', () => reject(new Failed('unreachable')))
    })
    sent.end(body ?? undefined)
  })
}

/** The address that is called. Throws where one that the name has is not allowed: which one answers is not ours to say. */
async function allowedAddress(
  { url, allowedPrivate }: OutboundRequest,
  { lookup = resolveHost }: OutboundOptions,
): Promise<Ip> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const texts = isIP(host) === 0 ? await lookup(host) : [host]
  const addresses = texts.map(parseIp)
  const allowed = (ip: Ip | null): boolean => {
    if (ip === null) return false
    if (ipInRanges(ip, allowedPrivate)) return true
    return url.protocol === 'https:' && isPublicAddress(ip)
  }
  const [first] = addresses
  if (first === undefined) throw new Failed('host_unknown')
  if (first === null || !addresses.every(allowed)) throw new Failed('address_forbidden')
  return first
}

async function resolveHost(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true })).map(({ address }) => address)
}

/** What a socket is told instead of being let look the name up again. */
function always(ip: Ip): LookupFunction {
  const address = formatIp(ip)
  const family = typeof ip === 'number' ? 4 : 6
  return (_host, options, done) => {
    if (options.all === true) done(null, [{ address, family }])
    else done(null, address, family)
  }
}

function pairs(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < lines.length; i += 2) headers[lines[i] ?? ''] = lines[i + 1] ?? ''
  return headers
}

function valueOf(value: string | readonly string[] | undefined): string | null {
  return value === undefined ? null : typeof value === 'string' ? value : value.join(', ')
}

function reasonOf(error: unknown): Failure {
  if (error instanceof Failed) return error.reason
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') return 'host_unknown'
  return /CERT|^ERR_TLS_|^ERR_SSL_|SELF_SIGNED|UNABLE_TO_|^EPROTO$|HOSTNAME/.test(code) ? 'tls_failed' : 'unreachable'
}
