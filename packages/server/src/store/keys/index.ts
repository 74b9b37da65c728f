import type { Random } from '../../base/random.ts'
import type { SigningKey } from '../../core/audit/signing.ts'
import type { FieldSealing } from '../../core/connections/connection.ts'
import type { Sealing } from '../../core/credentials/sealing.ts'
import type { SigningKeys } from '../../core/oauth/signing-keys.ts'
import type { PeopleSealing } from '../../core/people/sealing.ts'
import { auditSigningKey } from './audit-key.ts'
import { createFieldSealing } from './field-sealing.ts'
import { openKeyFiles } from './key-files.ts'
import { createPeopleSealing } from './people-sealing.ts'
import { createSealing, sweepWindowKeys } from './sealing.ts'
import { createSigningKeys } from './signing-keys.ts'

/** The keys folder: `windows/` is never copied anywhere, `standing/` is what the operator backs up. */
export interface KeyFolder extends Sealing {
  /** Deletes the keys of windows that have ended; answers how many. Called before listening, then each minute. */
  sweep(now: number): number
  auditSigningKey(): SigningKey
  /** Of access tokens. */
  readonly tokens: SigningKeys
  /** Secrets of third parties. */
  readonly connections: FieldSealing
  /** Second factors, forms and cookies of people. */
  readonly people: PeopleSealing
}

export function createKeyFiles(folder: string, random: Random): KeyFolder {
  const files = openKeyFiles(folder, random)
  return {
    ...createSealing(files, random),
    sweep: (now) => sweepWindowKeys(files, now),
    auditSigningKey: () => auditSigningKey(files),
    tokens: createSigningKeys(files),
    connections: createFieldSealing(files, random),
    people: createPeopleSealing(files, random),
  }
}
