import { createPublicKey, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { systemClock } from './base/clock.ts'
import { systemRandom } from './base/random.ts'
import { Secret } from './base/secret.ts'
import { readCheckpoints } from './core/audit/checkpoint-file.ts'
import { parseCheckpoints } from './core/audit/checkpoint.ts'
import type { SigningKey } from './core/audit/signing.ts'
import { verifyAudit, type AuditVerdict } from './core/audit/verify.ts'
import { createPasswords } from './identity/passwords.ts'
import { createKeyFiles, offlineEvents, restore, type Restored } from './store/index.ts'

/** What works without a server: restoring a backup, verifying a copy of the audit log, a look at the machine. */

/** Folder of a data folder where checkpoints and the log of revocations lie. */
const checkpointsOf = (dataFolder: string): string => join(dataFolder, 'checkpoints')

/** Replaces the data by a backup; throws `RestoreRefused` where it must not, and then nothing was changed. */
export function restoreBackup(options: {
  readonly folder: string
  readonly dataFolder: string
  readonly onProgress?: (step: string) => void
}): Promise<Restored> {
  return restore({ ...options, checkpointsFolder: checkpointsOf(options.dataFolder), clock: systemClock })
}

export interface OfflineAudit {
  readonly dataFolder: string
  /** The folder of key files, for the public key; or that key itself as PEM. */
  readonly keysFolder: string | null
  readonly publicKeyFile: string | null
  /** Another checkpoint file than the one of the data folder: one that was kept elsewhere. */
  readonly checkpointFile: string | null
}

/** Verifies the audit log of a data folder, running or not, or a copy of one. */
export function verifyDataFolder(options: OfflineAudit): Promise<AuditVerdict> {
  const { dataFolder, checkpointFile } = options
  const checkpoints =
    checkpointFile === null
      ? readCheckpoints(checkpointsOf(dataFolder))
      : parseCheckpoints(readFileSync(checkpointFile, 'utf8'))
  return verifyAudit(offlineEvents(dataFolder), checkpoints, verifier(options))
}

function verifier({ keysFolder, publicKeyFile }: OfflineAudit): Pick<SigningKey, 'verify'> | null {
  if (publicKeyFile !== null) {
    const key = createPublicKey(readFileSync(publicKeyFile, 'utf8'))
    return { verify: (text, signature) => verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url')) }
  }
  const hasKeys = keysFolder !== null && existsSync(join(keysFolder, 'standing', 'audit.key'))
  return hasKeys ? createKeyFiles(keysFolder, systemRandom).auditSigningKey() : null
}

/** Hashes and checks a password once; answers how many milliseconds that took. Throws where it is not possible here. */
export async function hashOnce(): Promise<number> {
  const passwords = createPasswords(systemRandom)
  const password = new Secret(Buffer.from(systemRandom.bytes(16)).toString('hex'))
  const startedAt = performance.now()
  const hashed = await passwords.hash(password)
  const checked = hashed.ok ? await passwords.verify(password, hashed.value, true) : hashed
  if (!checked.ok || !checked.value) throw new Error('the password that was hashed does not fit its hash')
  return performance.now() - startedAt
}
