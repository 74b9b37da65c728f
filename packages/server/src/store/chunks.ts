import { credentialKinds, credentialStates } from '../core/credentials/credential.ts'
import { profileKey, type OwnFields, type RecordChunk } from '../core/records/record.ts'

export const credentialsPerChunk = 20_000

/** The columns of `ChunkRow`, in its order, from credentials `c` joined with secrets `s`. */
export const chunkColumns =
  'c.id, c.public_id, c.kind, c.state, c.account, c.project, c.apis, c.scopes, c.role, c.ip_allow, c.origin_allow, ' +
  'c.limits, c.not_before, c.expires_at, c.created_at, c.state_at, c.blocked_until, c.version, ' +
  's.id, s.digest, s.origin, s.not_after'

export type ChunkRow = readonly [
  id: string,
  publicId: string | null,
  kind: string,
  state: string,
  account: string,
  project: string,
  apis: string,
  scopes: string,
  role: string | null,
  ipAllow: string,
  originAllow: string | null,
  limits: string,
  notBefore: number | null,
  expiresAt: number | null,
  createdAt: number,
  stateAt: number | null,
  blockedUntil: number | null,
  version: number,
  secret: string,
  digest: Uint8Array,
  origin: string,
  notAfter: number | null,
]

export interface Packed {
  readonly chunk: RecordChunk
  /** The last credential in it; null: no more rows were there. */
  readonly last: string | null
}

/** Packs rows that come ordered by credential until `max` credentials are full; stops reading at the next one. */
export function packChunk(rows: Iterable<ChunkRow>, max: number): Packed {
  const packer = createPacker(max)
  for (const row of rows) if (!packer.add(row)) return { chunk: packer.chunk(), last: packer.lastId() }
  return { chunk: packer.chunk(), last: null }
}

interface Packer {
  /** False where the row belongs to a credential beyond the maximum. */
  add(row: ChunkRow): boolean
  chunk(): RecordChunk
  lastId(): string
}

function createPacker(max: number): Packer {
  const credentialIds = new Uint8Array(max * 12)
  const kind = new Uint8Array(max)
  const state = new Uint8Array(max)
  const account = new Uint32Array(max)
  const project = new Uint32Array(max)
  const profile = new Uint32Array(max)
  const notBefore = new Float64Array(max)
  const expiresAt = new Float64Array(max)
  const createdAt = new Float64Array(max)
  const stateAt = new Float64Array(max)
  const blockedUntil = new Float64Array(max)
  const version = new Uint32Array(max)
  const own: OwnFields[] = []
  const secrets = createSecretColumns(max)
  const accounts = createInterner()
  const projects = createInterner()
  const profiles = createProfiles()
  let count = 0
  let current = ''

  const addCredential = (row: ChunkRow): void => {
    const index = count++
    current = row[0]
    for (let i = 0; i < 12; i++) credentialIds[index * 12 + i] = current.charCodeAt(5 + i)
    kind[index] = indexIn(credentialKinds, row[2])
    state[index] = indexIn(credentialStates, row[3])
    account[index] = accounts.indexOf(row[4])
    project[index] = projects.indexOf(row[5])
    profile[index] = profiles.indexOf(row[6], row[7], row[8])
    notBefore[index] = row[12] ?? Number.NaN
    expiresAt[index] = row[13] ?? Number.NaN
    createdAt[index] = row[14]
    stateAt[index] = row[15] ?? Number.NaN
    blockedUntil[index] = row[16] ?? Number.NaN
    version[index] = row[17]
    const ordinary = row[9] === '[]' && row[10] === null && row[11] === '[]' && publicIdIsOwn(row[1], current)
    if (!ordinary) own.push(ownFields(index, row))
  }
  return {
    add: (row) => {
      if (row[0] !== current) {
        if (count === max) return false
        addCredential(row)
      }
      secrets.add(count - 1, row)
      return true
    },
    lastId: () => current,
    chunk: () => ({
      credentialCount: count,
      credentialIds: credentialIds.slice(0, count * 12),
      kind: kind.slice(0, count),
      state: state.slice(0, count),
      account: account.slice(0, count),
      project: project.slice(0, count),
      profile: profile.slice(0, count),
      notBefore: notBefore.slice(0, count),
      expiresAt: expiresAt.slice(0, count),
      createdAt: createdAt.slice(0, count),
      stateAt: stateAt.slice(0, count),
      blockedUntil: blockedUntil.slice(0, count),
      version: version.slice(0, count),
      ...secrets.columns(),
      accounts: accounts.list,
      projects: projects.list,
      profiles: profiles.list,
      own,
    }),
  }
}

type SecretColumns = Pick<
  RecordChunk,
  'secretCount' | 'secretOwner' | 'digests' | 'secretIds' | 'imported' | 'notAfter'
>

function createSecretColumns(expected: number): {
  add(owner: number, row: ChunkRow): void
  columns(): SecretColumns
} {
  let size = Math.ceil(expected * 1.25) + 8
  let count = 0
  let secretOwner = new Uint32Array(size)
  let digests = new Uint8Array(size * 32)
  let secretIds = new Uint8Array(size * 16)
  let imported = new Uint8Array(size)
  let notAfter = new Float64Array(size)
  const grow = () => {
    size *= 2
    secretOwner = copied(new Uint32Array(size), secretOwner)
    digests = copied(new Uint8Array(size * 32), digests)
    secretIds = copied(new Uint8Array(size * 16), secretIds)
    imported = copied(new Uint8Array(size), imported)
    notAfter = copied(new Float64Array(size), notAfter)
  }
  return {
    add: (owner, row) => {
      if (count === size) grow()
      const index = count++
      secretOwner[index] = owner
      digests.set(row[19], index * 32)
      const id = row[18]
      for (let i = 0; i < 16; i++) {
        secretIds[index * 16 + i] = (hexDigit(id.charCodeAt(4 + 2 * i)) << 4) | hexDigit(id.charCodeAt(5 + 2 * i))
      }
      imported[index] = row[20] === 'imported' ? 1 : 0
      notAfter[index] = row[21] ?? Number.NaN
    },
    columns: () => ({
      secretCount: count,
      secretOwner: secretOwner.slice(0, count),
      digests: digests.slice(0, count * 32),
      secretIds: secretIds.slice(0, count * 16),
      imported: imported.slice(0, count),
      notAfter: notAfter.slice(0, count),
    }),
  }
}

function copied<Column extends Uint8Array | Uint32Array | Float64Array>(into: Column, from: Column): Column {
  into.set(from)
  return into
}

/** `0-9` are 48–57, `a-f` 97–102. */
const hexDigit = (code: number): number => (code & 15) + (code >> 6) * 9

function createInterner(): { readonly list: string[]; indexOf(text: string): number } {
  const list: string[] = []
  const known = new Map<string, number>()
  return {
    list,
    indexOf: (text) => {
      const index = known.get(text)
      if (index !== undefined) return index
      known.set(text, list.length)
      return list.push(text) - 1
    },
  }
}

/** Interned by the stored texts, so that JSON is parsed once for each profile and not for each row. */
function createProfiles(): {
  readonly list: string[]
  indexOf(apis: string, scopes: string, role: string | null): number
} {
  const profiles = createInterner()
  const known = new Map<string, number>()
  return {
    list: profiles.list,
    indexOf: (apis, scopes, role) => {
      const text = `${apis}${scopes}${role ?? '\0'}`
      const index = known.get(text)
      if (index !== undefined) return index
      const made = profiles.indexOf(profileKey(listOf(apis), listOf(scopes), role))
      known.set(text, made)
      return made
    },
  }
}

function ownFields(row: number, fields: ChunkRow): OwnFields {
  return {
    row,
    publicId: fields[1],
    ipAllow: listOf(fields[9]),
    originAllow: fields[10] === null ? null : listOf(fields[10]),
    limits: listOf(fields[11]),
  }
}

const publicIdIsOwn = (publicId: string | null, id: string): boolean =>
  publicId !== null && publicId.length === 12 && id.endsWith(publicId)

function indexIn(list: readonly string[], text: string): number {
  return list.indexOf(text)
}

function listOf<Item>(json: string): readonly Item[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this program
  return JSON.parse(json) as Item[]
}

/** The buffers of a chunk, to be transferred instead of copied. */
export function buffersOf(chunk: RecordChunk): readonly ArrayBuffer[] {
  return Object.values(chunk).flatMap((column: unknown) =>
    ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
  )
}
