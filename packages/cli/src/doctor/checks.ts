import { checkCertificates } from './certificates.ts'
import { checkConfiguration } from './configuration.ts'
import type { Check } from './finding.ts'
import { checkFolders } from './folders.ts'
import { checkNode } from './node.ts'
import { checkPasswords } from './passwords.ts'
import { checkPorts } from './ports.ts'
import { checkServer } from './server.ts'
import { checkSigningKeys } from './signing-keys.ts'

/** Every check, in order. */
export const checks: readonly Check[] = [
  checkNode,
  checkConfiguration,
  checkFolders,
  checkPasswords,
  checkCertificates,
  checkPorts,
  checkServer,
  checkSigningKeys,
]
