import type { wire } from '@postern/contract'

import type { AddCommand } from '../command.ts'
import type { FolderAudit } from '../local/audit.ts'
import type { Output } from '../output/output.ts'
import { wrongUsage, type ExitCode } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** `postern audit verify`: was the audit log altered? */
export const audit: AddCommand = (program, run) => {
  program
    .command('audit')
    .description('the audit log as proof')
    .command('verify')
    .description('exit code 0 intact, 1 altered, 2 rolled back, 3 a checkpoint is not signed by this server')
    .option('--data <folder>', 'read the files of this data folder, without a server')
    .option('--keys <folder>', 'its key files, for the signatures (default: beside the data folder)')
    .option('--public-key <file>', 'the public key as PEM, in place of the key files')
    .option('--checkpoint <file>', 'checkpoints that were kept elsewhere')
    .action(run(verify))
}

async function verify(tools: Tools, { data, ...options }: Partial<FolderAudit>): Promise<ExitCode> {
  const verdict = data === undefined ? await fromServer(tools, options) : await fromFolder(tools, { data, ...options })
  tell(tools.out, verdict)
  return exitCodes[verdict.result]
}

async function fromServer({ client }: Tools, options: object): Promise<wire.AuditVerdict> {
  if (Object.keys(options).length > 0) {
    throw wrongUsage(
      'These options need --data',
      'A server verifies with its own keys and checkpoints.',
      '--data ./data',
    )
  }
  return await client().post<wire.AuditVerdict>('/system/audit/verify')
}

async function fromFolder(tools: Tools, options: FolderAudit): Promise<wire.AuditVerdict> {
  const { verifyFolder } = await import('../local/audit.ts')
  return await verifyFolder(tools, options)
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
