import type { FastifyReply, FastifyRequest } from 'fastify'

import { parseIp } from '../base/ip.ts'
import { managementApiId } from '../core/accounts/account.ts'
import { bootstrapCredentialId } from '../core/accounts/bootstrap.ts'
import { holds } from '../core/credentials/rights.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { RequestFacts } from '../core/decision/facts.ts'
import { headerValues } from '../core/decision/headers.ts'
import { type Caller, scopeOf } from './caller.ts'
import type { ManagementParts } from './parts.ts'
import { Refused } from './problems.ts'
import { publicRoutes } from './public.ts'
import { type Operation, operationRule } from './rights.ts'
import { transportOf } from './transport.ts'

/**
 * Every request but the public ones is decided like a request to any other API, by the same evaluation, and is
 * charged like one. The principal comes from there and from nowhere else.
 */
export function authenticate(parts: ManagementParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    // RFC 9112, section 3.2: which of two hosts was meant must not be guessed.
    if (headerValues(request.raw.rawHeaders, 'host').length > 1) throw new Refused('request_malformed')
    if (isPublic(request) || request.is404) {
      if (transportOf(request.raw.socket, parts).plainOnTls) throw new Refused('insecure_transport')
      return undefined
    }
    const facts = factsOf(request, parts)
    const pending = parts.dataPlane.evaluate(facts, false)
    const evaluation = pending instanceof Promise ? parts.dataPlane.settle(await pending, facts) : pending
    const standing = parts.dataPlane.charge(evaluation, facts)
    request.decided = { evaluation, facts }
    if (!evaluation.allowed) return await sendRefusal(parts, evaluation, standing, request, reply)
    addHeaders(reply, parts.dataPlane.limitHeaders(evaluation, standing))
    request.caller = callerFrom(evaluation, facts)
    checkRight(request, request.caller)
    return undefined
  }
}

function isPublic(request: FastifyRequest): boolean {
  const { method, routeOptions } = request
  return publicRoutes.includes(`${method === 'HEAD' ? 'GET' : method} ${routeOptions.url ?? ''}`)
}

function factsOf(request: FastifyRequest, parts: ManagementParts): RequestFacts {
  const { raw } = request
  const peer = parseIp(raw.socket.remoteAddress ?? '')
  if (peer === null) throw new Error('The address of the peer is not known')
  return {
    method: raw.method ?? request.method,
    target: raw.url ?? request.url,
    host: raw.headers.host ?? '',
    localPort: raw.socket.localPort ?? 0,
    headers: raw.rawHeaders,
    peer,
    ...transportOf(raw.socket, parts),
    now: parts.clock.now(),
    monotonic: parts.clock.monotonic(),
    api: managementApiId,
  }
}

async function sendRefusal(
  parts: ManagementParts,
  evaluation: Evaluation,
  standing: ReturnType<ManagementParts['dataPlane']['charge']>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const answer = parts.dataPlane.answer(evaluation, standing, request.id)
  addHeaders(reply, answer.headers)
  return await reply.code(answer.status).send(answer.body)
}

/** Lines are name, value, …; a name that comes twice is sent twice. */
function addHeaders(reply: FastifyReply, lines: readonly string[]): void {
  const values = new Map<string, string[]>()
  for (let i = 0; i < lines.length; i += 2) {
    const name = (lines[i] ?? '').toLowerCase()
    if (name === 'content-length') continue
    values.set(name, [...(values.get(name) ?? []), lines[i + 1] ?? ''])
  }
  for (const [name, all] of values) reply.header(name, all.length === 1 ? all[0] : all)
}

function callerFrom(evaluation: Evaluation, facts: RequestFacts): Caller {
  const { principal } = evaluation
  if (principal === null) throw new Error('A request was allowed without a principal')
  return {
    principal,
    bootstrap: principal.credential === bootstrapCredentialId,
    scope: scopeOf(principal),
    ip: evaluation.clientIp,
    evaluation,
    facts,
  }
}

function checkRight(request: FastifyRequest, caller: Caller): void {
  const { operation } = request.routeOptions.config
  if (operation === undefined) throw new Error('An operation is not in the table of rights')
  const rule = operationRule(operation)
  if (rule.right === null) return
  const held = holds(caller.principal.scopes, rule.right) && (rule.operatorOnly !== true || caller.scope === null)
  if (!held) throw new Refused('permission_missing', { missingScopes: [rule.right] })
}

declare module 'fastify' {
  interface FastifyRequest {
    decided: { readonly evaluation: Evaluation; readonly facts: RequestFacts } | null
  }
  interface FastifyContextConfig {
    operation?: Operation
  }
}
