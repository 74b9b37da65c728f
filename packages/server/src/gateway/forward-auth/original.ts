import type { Code } from '@postern/contract'

import { type Result, fail, ok } from '../../base/result.ts'
import type { RequestFacts } from '../../core/decision/facts.ts'
import { headerValues } from '../../core/decision/headers.ts'
import { readHead } from '../received.ts'
import type { WireLimits } from '../wire-limits.ts'
import type { Question } from './question.ts'

export interface Fault {
  readonly code: Code
  readonly hint: string | null
}

/**
 * The request that a trusted proxy asks about, as the gateway would have seen it: `asked` is the question itself.
 * Each thing has to be said, and once: what is missing is not filled in (a method that defaults to GET would let
 * every other one through), and of two values nobody knows which one a client wrote.
 */
export function originalRequest(
  asked: RequestFacts,
  question: Question,
  limits: Pick<WireLimits, 'headerLinesMax' | 'targetBytesMax'>,
): Result<RequestFacts, Fault> {
  const { headers } = asked
  // The proxy adds lines of its own.
  if (headers.length > 2 * (limits.headerLinesMax + proxyLinesMax)) return refused('headers_too_large')
  // Who sent it, and whether over TLS, is for the decision to read. Without them the proxy would be the client.
  for (const name of ['X-Forwarded-For', 'X-Forwarded-Proto']) {
    if (headerValues(headers, name.toLowerCase()).length === 0) return missing(name)
  }
  const original = question.target === null ? saidInHeaders(asked, question) : ok({ ...asked, target: question.target })
  if (!original.ok) return original
  const facts = question.api === null ? original.value : { ...original.value, api: question.api }
  if (facts.target.length > limits.targetBytesMax) return refused('uri_too_long')
  if (facts.target.charCodeAt(0) !== slash || facts.method === 'TRACE' || !/^[!-~]{1,32}$/.test(facts.method))
    return refused('request_malformed')
  const { fault } = readHead(headers, 1)
  return fault === null ? ok(facts) : refused(fault)
}

const proxyLinesMax = 32
const slash = 0x2f

function saidInHeaders(asked: RequestFacts, { api }: Question): Result<RequestFacts, Fault> {
  const method = said(asked, 'X-Forwarded-Method', true)
  if (!method.ok) return method
  const target = said(asked, 'X-Forwarded-Uri', true)
  if (!target.ok) return target
  const host = said(asked, 'X-Forwarded-Host', api === null)
  if (!host.ok) return host
  return ok({ ...asked, method: method.value, target: target.value, host: host.value })
}

/** '' where it is absent and need not be there. */
function said({ headers }: RequestFacts, name: string, needed: boolean): Result<string, Fault> {
  const [value, another] = headerValues(headers, name.toLowerCase())
  if (another !== undefined) return misconfigured(`It sent ${name} twice: it has to replace what clients send.`)
  return value === undefined && needed ? missing(name) : ok(value ?? '')
}

function missing(name: string): Result<never, Fault> {
  return misconfigured(`It sent no ${name}.`)
}

function misconfigured(hint: string): Result<never, Fault> {
  return fail({ code: 'forward_auth_misconfigured', hint })
}

function refused(code: Code): Result<never, Fault> {
  return fail({ code, hint: null })
}
