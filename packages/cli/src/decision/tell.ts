import { codeRow, isCode, type wire } from '@postern/contract'

import { withoutFields } from '../client/problem.ts'
import type { Output } from '../output/output.ts'
import { exit, type ExitCode } from '../stop.ts'

/** Prints a decision with its trace; the exit code says whether the answer was no. */
export function tellDecision(out: Output, decision: wire.Decision, about: string): ExitCode {
  if (out.json) out.data(decision)
  else print(out, decision, about)
  return decision.allowed ? exit.done : exit.denied
}

function print(out: Output, { allowed, status, code, trace, principal, headers }: wire.Decision, about: string): void {
  const verdict = allowed ? out.paint('green', 'allowed') : out.paint('red', 'denied')
  out.line(`${verdict}  ${status}${code === null ? '' : ` ${code}`}  ${about}`)
  const width = Math.max(0, ...trace.map(({ step }) => step.length))
  for (const { step, outcome, compared } of trace) {
    out.line(`  ${out.paint(style[outcome], word[outcome])}  ${step.padEnd(width)}  ${compared}`.trimEnd())
  }
  if (principal !== null) for (const line of principalLines(principal)) out.line(line)
  if (code !== null && isCode(code)) out.line(`  why   ${withoutFields(codeRow(code).detail)}`)
  const retry = headers['Retry-After'] ?? headers['retry-after']
  if (retry !== undefined) out.line(`  wait  ${String(retry)} s`)
}

function principalLines(principal: wire.Principal): readonly string[] {
  const { credential, kind, account, scopes, token, grant, subject, label } = principal
  const by = [
    ...(token === null ? [] : [`token ${token}`]),
    ...(label === null ? [] : [`labelled "${label}"`]),
    ...(grant === null ? [] : [`by grant ${grant}`]),
    ...(subject === null ? [] : [`of ${subject}`]),
  ]
  return [
    `  as    ${credential} (${kind}) of ${account}, scopes: ${scopes.join(', ') || '-'}`,
    ...(by.length === 0 ? [] : [`  with  ${by.join(', ')}`]),
  ]
}

const word = { pass: 'ok  ', fail: 'FAIL', skip: 'then' } as const
const style = { pass: 'green', fail: 'red', skip: 'dim' } as const
