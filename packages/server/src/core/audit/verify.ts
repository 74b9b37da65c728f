import { commitmentOf, eventHash, genesisHash } from './chain.ts'
import { isSignedBy, type Checkpoint } from './checkpoint.ts'
import type { AuditEvent } from './event.ts'
import type { SigningKey } from './signing.ts'

/**
 * What the audit log's verification found. `proven`: a checkpoint signed outside the database agrees with the
 * chain up to `provenThrough`; without one the chain is only consistent with itself.
 */
export type AuditVerdict =
  | {
      readonly result: 'intact'
      readonly events: number
      readonly head: number
      readonly proven: boolean
      readonly provenThrough: number
    }
  /** An event was changed, removed, inserted or moved; `sequence` is the first that does not fit. */
  | { readonly result: 'altered'; readonly sequence: number; readonly what: string }
  /** The log ends before, or differs at, a signed checkpoint: it was cut off or rolled back. */
  | { readonly result: 'rolled_back'; readonly sequence: number; readonly what: string }
  | { readonly result: 'signature_bad'; readonly line: number }

/** Exit code of `postern audit verify` for each verdict. */
export const verdictExitCodes = { intact: 0, altered: 1, rolled_back: 2, signature_bad: 3 } as const satisfies Record<
  AuditVerdict['result'],
  number
>

/** Events oldest first, from the first on. */
export async function verifyAudit(
  events: AsyncIterable<AuditEvent>,
  checkpoints: readonly (Checkpoint | { readonly malformedLine: number })[],
  key: Pick<SigningKey, 'verify'> | null,
): Promise<AuditVerdict> {
  const signed: Checkpoint[] = []
  for (const [i, checkpoint] of checkpoints.entries()) {
    if ('malformedLine' in checkpoint) return { result: 'signature_bad', line: checkpoint.malformedLine }
    if (key === null || !isSignedBy(checkpoint, key)) return { result: 'signature_bad', line: i + 1 }
    signed.push(checkpoint)
  }
  const bySequence = Map.groupBy(signed, ({ sequence }) => sequence)
  let previous = genesisHash
  let head = 0
  for await (const event of events) {
    if (event.sequence !== head + 1) return altered(head + 1, `event ${head + 1} is missing`)
    if (event.previousHash !== previous) return altered(event.sequence, 'it does not follow the event before it')
    if (eventHash(previous, event) !== event.hash) return altered(event.sequence, 'its contents do not fit its hash')
    if (!keepsItsCommitment(event)) return altered(event.sequence, 'its personal fields do not fit their commitment')
    head = event.sequence
    previous = event.hash
    const differs = bySequence.get(head)?.find(({ hash }) => hash !== previous)
    if (differs !== undefined) {
      return {
        result: 'rolled_back',
        sequence: head,
        what: `the checkpoint of ${instant(differs.at)} has another hash`,
      }
    }
  }
  const beyond = signed.find(({ sequence }) => sequence > head)
  if (beyond !== undefined) {
    return {
      result: 'rolled_back',
      sequence: head,
      what: `the checkpoint of ${instant(beyond.at)} knows event ${beyond.sequence}, the log ends at ${head}`,
    }
  }
  const provenThrough = signed.reduce((most, { sequence }) => Math.max(most, sequence), 0)
  return { result: 'intact', events: head, head, proven: signed.length > 0, provenThrough }
}

/** Erased ones are no fault; changed ones are. */
function keepsItsCommitment({ personal, commitment }: AuditEvent): boolean {
  return personal === null || commitmentOf(Buffer.from(personal.salt, 'hex'), personal) === commitment
}

function altered(sequence: number, what: string): AuditVerdict {
  return { result: 'altered', sequence, what }
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
