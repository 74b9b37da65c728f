import { sha256 } from '../../base/digest.ts'
import { credentialKinds, credentialStates } from '../credentials/credential.ts'
import { digestWords } from '../records/digest-words.ts'
import {
  type AccountRecord,
  type CredentialRecord,
  noChanges,
  type OwnFields,
  profileKey,
  type ProjectRecord,
  type RecordChanges,
  type RecordChunk,
  type SecretRecord,
} from '../records/record.ts'

/** A live server key of account `acc_1` and project `prj_1` for the API `shop`, with one secret; all replaceable. */
export function aCredential(fields: Partial<CredentialRecord> = {}): CredentialRecord {
  const id = fields.id ?? 'cred_000000000001'
  return {
    id,
    publicId: id.slice(5),
    kind: 'secret',
    account: 'acc_1',
    project: 'prj_1',
    apis: ['shop'],
    scopes: ['*'],
    role: null,
    ipAllow: [],
    originAllow: null,
    limits: [],
    llm: null,
    oauth: null,
    notBefore: null,
    expiresAt: null,
    state: 'active',
    stateAt: null,
    blockedUntil: null,
    createdAt: 0,
    version: 1,
    secrets: [aSecret(`secret of ${id}`)],
    ...fields,
  }
}

/** A secret whose id follows from its text, so that the same text is the same secret. */
export function aSecret(text: string, fields: Partial<SecretRecord> = {}): SecretRecord {
  const digest = sha256(text)
  const id = `sec_${Buffer.from(digest.subarray(0, 16)).toString('hex')}`
  return { id, digest, imported: false, notAfter: null, ...fields }
}

export function anAccount(fields: Partial<AccountRecord> = {}): AccountRecord {
  return { id: 'acc_1', plan: 'pro', suspended: false, overrides: null, version: 1, ...fields }
}

export function aProject(fields: Partial<ProjectRecord> = {}): ProjectRecord {
  return { id: 'prj_1', account: 'acc_1', environment: 'live', region: null, ipAllow: [], version: 1, ...fields }
}

export function changes(fields: Partial<RecordChanges>): RecordChanges {
  return { ...noChanges, ...fields }
}

/** The digest of a presented secret, as the table is asked for it. */
export function wordsOfText(text: string): Int32Array {
  const words = new Int32Array(8)
  digestWords(text, words)
  return words
}

/** The `number`th credential id. */
export function credentialIdOf(number: number): string {
  return `cred_${number.toString(36).padStart(12, '0')}`
}

/** Packs records as the store's worker does. */
export function aChunk(records: readonly CredentialRecord[]): RecordChunk {
  const secrets = records.flatMap((record, owner) => record.secrets.map((secret) => ({ secret, owner })))
  const accounts = [...new Set(records.map(({ account }) => account))]
  const projects = [...new Set(records.map(({ project }) => project))]
  const keys = records.map(({ apis, scopes, role }) => profileKey(apis, scopes, role))
  const profiles = [...new Set(keys)]
  const times = (of: (record: CredentialRecord) => number | null) =>
    Float64Array.from(records, (record) => of(record) ?? Number.NaN)
  return {
    credentialCount: records.length,
    secretCount: secrets.length,
    credentialIds: Uint8Array.from(records.flatMap(({ id }) => [...Buffer.from(id.slice(5), 'latin1')])),
    kind: Uint8Array.from(records, ({ kind }) => credentialKinds.indexOf(kind)),
    state: Uint8Array.from(records, ({ state }) => credentialStates.indexOf(state)),
    account: Uint32Array.from(records, ({ account }) => accounts.indexOf(account)),
    project: Uint32Array.from(records, ({ project }) => projects.indexOf(project)),
    profile: Uint32Array.from(keys, (key) => profiles.indexOf(key)),
    notBefore: times(({ notBefore }) => notBefore),
    expiresAt: times(({ expiresAt }) => expiresAt),
    createdAt: times(({ createdAt }) => createdAt),
    stateAt: times(({ stateAt }) => stateAt),
    blockedUntil: times(({ blockedUntil }) => blockedUntil),
    version: Uint32Array.from(records, ({ version }) => version),
    secretOwner: Uint32Array.from(secrets, ({ owner }) => owner),
    digests: Uint8Array.from(secrets.flatMap(({ secret }) => [...secret.digest])),
    secretIds: Uint8Array.from(secrets.flatMap(({ secret }) => [...Buffer.from(secret.id.slice(4), 'hex')])),
    imported: Uint8Array.from(secrets, ({ secret }) => (secret.imported ? 1 : 0)),
    notAfter: Float64Array.from(secrets, ({ secret }) => secret.notAfter ?? Number.NaN),
    accounts,
    projects,
    profiles,
    own: records.flatMap((record, row): OwnFields[] => {
      const { publicId, ipAllow, originAllow, limits, llm, oauth } = record
      const plain =
        publicId === record.id.slice(5) &&
        ipAllow.length === 0 &&
        originAllow === null &&
        limits.length === 0 &&
        llm === null &&
        oauth === null
      return plain ? [] : [{ row, publicId, ipAllow, originAllow, limits, llm, oauth }]
    }),
  }
}
