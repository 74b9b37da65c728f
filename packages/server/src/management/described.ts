import type { wire } from '@postern/contract'

import { type Ip, parseIp } from '../base/ip.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { LlmFacts, RequestFacts } from '../core/decision/facts.ts'
import { refuse } from '../core/decision/refuse.ts'
import type { Scope } from '../core/store.ts'
import type { Caller } from './caller.ts'
import type { ManagementParts } from './parts.ts'
import { Refused } from './problems.ts'

/** A described request as the data plane sees one that arrives: what stands behind `verify` and `explain`. */
export function factsOf(parts: ManagementParts, body: wire.DescribedRequest): RequestFacts {
  const headers = Object.entries(body.headers).flatMap(([name, value]) => linesOf(name, value))
  const host = body.host ?? hostIn(headers)
  return {
    method: body.method,
    target: body.path,
    host,
    localPort: portIn(host),
    headers,
    peer: peerOf(body.ip),
    encrypted: body.scheme !== 'http',
    now: parts.clock.now(),
    monotonic: parts.clock.monotonic(),
    api: body.api,
    ...(body.model !== undefined || body.tokens !== undefined ? { llm: modelAsked(body) } : {}),
  }
}

function modelAsked({ model, tokens }: wire.DescribedRequest): LlmFacts {
  return { model: model ?? null, inputTokens: tokens?.input ?? 0, outputTokens: tokens?.output ?? null }
}

function linesOf(name: string, value: string | readonly string[]): string[] {
  return typeof value === 'string' ? [name, value] : value.flatMap((each) => [name, each])
}

function hostIn(lines: readonly string[]): string {
  const index = lines.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === 'host')
  return index === -1 ? '' : (lines[index + 1] ?? '')
}

/** Where an API has a listener of its own, the port says which API, and with which prefix, is asked. */
function portIn(host: string): number {
  return Number(/:([0-9]{1,5})$/.exec(host)?.[1] ?? 0)
}

function peerOf(text: string): Ip {
  const ip = parseIp(text)
  if (ip !== null) return ip
  throw new Refused('body_invalid', { errors: [{ path: '/ip', message: 'is not an IP address' }] })
}

/**
 * An account asks about its own credentials only. One of somebody else reads like one of nobody, to the last word:
 * any difference would tell whoever guesses that the guess was right.
 */
export function withoutForeign(evaluation: Evaluation, scope: Scope): Evaluation {
  const account = evaluation.principal?.account
  if (scope === null || account === undefined || account === scope) return evaluation
  const steps = evaluation.trace ?? []
  const known = steps.findIndex(({ step }) => step === 'known')
  return {
    ...evaluation,
    allowed: false,
    refusal: refuse('credential_unknown'),
    environment: null,
    principal: null,
    charge: null,
    trace: [
      ...steps.slice(0, known),
      { step: 'known', outcome: 'fail', compared: 'no record', code: 'credential_unknown' },
    ],
  }
}

/** The address in a body is only claimed: the failed attempts of an account are counted at its own. */
export function chargedTo(caller: Caller, evaluation: Evaluation): Evaluation {
  return caller.scope === null ? evaluation : { ...evaluation, clientIp: caller.ip }
}

/** The management API itself is asked about by the operator alone. */
export function refuseUndeclared(parts: ManagementParts, api: string, scope: Scope): void {
  const known = parts.dataPlane.declaration().apis.has(api)
  if (!known || (api === operatorAccountId && scope !== null)) {
    throw new Refused('not_acceptable_value', { errors: [{ path: '/api', message: 'is not a declared API' }] })
  }
}

export function decisionView(
  evaluation: Evaluation,
  answer: { readonly status: number; readonly headers: readonly string[] },
): wire.Decision {
  const { principal, refusal, trace } = evaluation
  return {
    allowed: evaluation.allowed,
    code: refusal?.code ?? null,
    status: answer.status,
    trace: (trace ?? []).map((step) => ({ ...step })),
    principal:
      principal === null
        ? null
        : {
            credential: principal.credential,
            public_id: principal.publicId,
            kind: principal.kind,
            account: principal.account,
            project: principal.project,
            environment: principal.environment,
            region: principal.region,
            scopes: [...principal.scopes],
            token: principal.token,
            grant: principal.grant,
            subject: principal.subject,
            label: principal.label,
          },
    headers: headersView(answer.headers),
  }
}

function headersView(lines: readonly string[]): Record<string, string | string[]> {
  const headers = new Map<string, string | string[]>()
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    const value = lines[i + 1] ?? ''
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : [earlier, value].flat())
  }
  return Object.fromEntries(headers)
}
