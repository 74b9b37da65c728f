import { checkCertificates } from './certificates.ts'
import type { Check } from './finding.ts'
import { checkFolders } from './folders.ts'
import { checkNode } from './node.ts'
import { checkPorts } from './ports.ts'
import { checkServer } from './server.ts'

/** Every check, in order. */
export const checks: readonly Check[] = [checkNode, checkFolders, checkCertificates, checkPorts, checkServer]
