import { wire } from '@postern/contract'

import type { AuditVerdict } from '../core/audit/verify.ts'
import { operation } from './operation.ts'
import type { Resource } from './parts.ts'

/** Verifies the whole audit log against the checkpoints of this node. */
export const audit: Resource = (app, parts) => {
  app.post(
    '/system/audit/verify',
    operation('verifyAudit', {
      tag: 'System',
      summary: 'Prove that the audit log was not altered',
      description:
        'Recomputes the hash chain of every event and compares it with the signed checkpoints that this node keeps outside the database.',
      response: { 200: wire.ref(wire.AuditVerdict) },
    }),
    async () => view(await parts.verifyAudit()),
  )
}

function view(verdict: AuditVerdict): wire.AuditVerdict {
  if (verdict.result !== 'intact') return { ...verdict }
  const { provenThrough, ...rest } = verdict
  return { ...rest, proven_through: provenThrough }
}
