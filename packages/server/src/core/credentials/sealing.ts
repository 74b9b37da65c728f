import type { Secret } from '../../base/secret.ts'
import type { SealedCopy } from '../store.ts'

/** `visibleUntil` of a secret that may always be revealed: the last instant of ECMAScript time. */
export const visibleAlways = 8.64e15

/** Seals secrets for as long as they may be shown again (design, section 3). */
export interface Sealing {
  /**
   * Seals the secret of row `rowId` under the key of its expiry bucket, or of the standing key for `always`.
   * The key file is durable when this answers, so that the commit that needs it may follow.
   */
  seal(secret: Secret, rowId: string, visibleUntil: number | 'always'): SealedCopy
  /** Throws `SealBroken` where the copy was altered, belongs to another row, or its key is gone. */
  open(copy: SealedCopy, rowId: string): Secret
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}
