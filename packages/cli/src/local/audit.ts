import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import type { wire } from '@postern/contract'
import { verifyDataFolder } from '@postern/server'

import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { foldersFor } from './data-folder.ts'

export interface FolderAudit {
  readonly data: string
  readonly keys?: string
  readonly publicKey?: string
  readonly checkpoint?: string
}

/** Verifies the audit log of a data folder, or of a copy of one, without a server. */
export async function verifyFolder(tools: Tools, options: FolderAudit): Promise<wire.AuditVerdict> {
  const folders = foldersFor(tools, options)
  const { cwd } = tools.io
  const file = (path: string | undefined): string | null => (path === undefined ? null : resolve(cwd, path))
  for (const path of [folders.data, file(options.publicKey), file(options.checkpoint)]) {
    if (path !== null && !existsSync(path)) {
      throw wrongUsage(
        `There is no ${path}`,
        'It is needed to verify the log.',
        'npx postern audit verify --data ./data',
      )
    }
  }
  const verdict = await verifyDataFolder({
    dataFolder: folders.data,
    keysFolder: folders.keys,
    publicKeyFile: file(options.publicKey),
    checkpointFile: file(options.checkpoint),
  })
  if (verdict.result !== 'intact') return { ...verdict }
  const { provenThrough, ...rest } = verdict
  return { ...rest, proven_through: provenThrough }
}
