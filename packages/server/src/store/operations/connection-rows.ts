import type {
  Connection,
  ConnectionRecord,
  SealedConnection,
  SealedField,
  Settings,
} from '../../core/connections/connection.ts'
import type { ConnectionRow } from '../schema.ts'
import { parsed, parsedOrNull, trusted } from './rows.ts'

type WrittenField = Omit<SealedField, 'bytes'> & { readonly bytes: string }

export function sealedText(fields: readonly SealedField[]): string {
  const written = fields.map(({ bytes, ...rest }): WrittenField => ({
    ...rest,
    bytes: Buffer.from(bytes).toString('base64'),
  }))
  return JSON.stringify(written)
}

function sealedOf(text: string): readonly SealedField[] {
  return parsed<readonly WrittenField[]>(text).map(({ bytes, ...rest }) => ({
    ...rest,
    bytes: new Uint8Array(Buffer.from(bytes, 'base64')),
  }))
}

export function toConnection(row: ConnectionRow): Connection {
  return {
    id: row.id,
    account: row.account,
    project: row.project,
    platform: row.platform,
    name: row.name,
    settings: parsed<Settings>(row.settings),
    secrets: sealedOf(row.sealed).map(({ field, hint, fingerprint }) => ({ field, hint, fingerprint })),
    secretVersion: row.secret_version,
    state: trusted(row.state),
    stateReason: row.state_reason,
    lastCheck: parsedOrNull(row.last_check),
    lastUsedAt: row.last_used_at,
    createdBy: row.created_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    rotatedAt: row.rotated_at,
    version: row.version,
  }
}

export function toSealedConnection(row: ConnectionRow): SealedConnection {
  return { ...toConnection(row), sealed: sealedOf(row.sealed) }
}

export function toConnectionRecord(row: ConnectionRow): ConnectionRecord {
  return {
    id: row.id,
    account: row.account,
    project: row.project,
    platform: row.platform,
    name: row.name,
    settings: parsed<Settings>(row.settings),
    secretVersion: row.secret_version,
    state: trusted(row.state),
    sealed: sealedOf(row.sealed),
    version: row.version,
  }
}
