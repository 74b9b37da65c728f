import type { wire } from '@postern/contract'

import type { Output } from '../output/output.ts'

/** From when on every node acts by a change. */
export function tellEffect(
  out: Output,
  { effective_everywhere_by: by }: Pick<wire.ChangedCredential, 'effective_everywhere_by'>,
): void {
  out.note(by === null ? 'Routes that serve stale records may accept it for longer.' : `In force everywhere by ${by}.`)
}
