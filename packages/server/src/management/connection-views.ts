import type { wire } from '@postern/contract'

import { explainCheck } from '../core/connections/check.ts'
import type { CheckResult, Connection } from '../core/connections/connection.ts'
import { isInjectable } from '../core/connections/platform.ts'
import { platformOf } from '../core/connections/platforms/index.ts'
import { timestamp, timestampOrNull } from './times.ts'

export function connectionView(connection: Connection): wire.Connection {
  const { lastCheck } = connection
  const platform = platformOf(connection.platform)
  return {
    id: connection.id,
    account: connection.account,
    project: connection.project,
    platform: connection.platform,
    name: connection.name,
    injectable: platform !== null && isInjectable(platform),
    settings: { ...connection.settings },
    secrets: connection.secrets.map((secret) => ({ ...secret })),
    state: connection.state,
    state_reason: connection.stateReason,
    last_check: lastCheck === null ? null : checkView(connection.platform, lastCheck),
    last_used_at: timestampOrNull(connection.lastUsedAt),
    created_by: connection.createdBy,
    created_at: timestamp(connection.createdAt),
    updated_at: timestamp(connection.updatedAt),
    rotated_at: timestampOrNull(connection.rotatedAt),
    version: connection.version,
  }
}

export function checkView(platformId: string, { at, reason, status }: CheckResult): wire.ConnectionCheck {
  const platform = platformOf(platformId)
  const detail = platform === null ? reason : explainCheck(platform, reason, status)
  return { at: timestamp(at), ok: reason === 'ok', reason, status, detail }
}
