import type { wire } from '@postern/contract'

import type { AddCommand } from '../cli.ts'
import type { Output } from '../output/output.ts'
import type { ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern audit verify`: was the audit log altered? */
export const audit: AddCommand = (program, run) => {
  program
    .command('audit')
    .description('the audit log as proof')
    .command('verify')
    .description('exit code 0 intact, 1 altered, 2 rolled back, 3 a checkpoint is not signed by this server')
    .action(run(verify))
}

async function verify({ client, out }: Tools): Promise<ExitCode> {
  const verdict = await client().post<wire.AuditVerdict>('/system/audit/verify')
  tell(out, verdict)
  return exitCodes[verdict.result]
}

const exitCodes = { intact: 0, altered: 1, rolled_back: 2, signature_bad: 3 } as const

function tell(out: Output, verdict: wire.AuditVerdict): void {
  if (out.json) return out.data(verdict)
  out.line(
    `${out.paint(verdict.result === 'intact' ? 'green' : 'red', verdict.result.replace('_', ' '))}  ${sentence(verdict)}`,
  )
}

function sentence(verdict: wire.AuditVerdict): string {
  switch (verdict.result) {
    case 'intact':
      return verdict.proven
        ? `${verdict.events} events, proven up to ${verdict.proven_through} by signed checkpoints`
        : `${verdict.events} events, consistent, not proven: there is no signed checkpoint`
    case 'altered':
    case 'rolled_back':
      return `at event ${verdict.sequence}: ${verdict.what}`
    case 'signature_bad':
      return `line ${verdict.line} of the checkpoints is not signed by this server`
  }
}
