import { credentialKinds, credentialStates } from '../core/credentials/credential.ts'
import { profileKey, type OwnFields, type RecordChunk } from '../core/records/record.ts'

export const credentialsPerChunk = 20_000

const separator = '\u001f'

/**
 * The columns of `ChunkRow` from credentials `c` joined with secrets `s`. What many rows share comes as one text, so
 * that a row crosses into JavaScript as few values and is looked up once; a digest as hex costs a tenth of its buffer.
 */
export function chunkColumns(database: 'sqlite' | 'postgres'): string {
  const char = database === 'sqlite' ? 'char' : 'chr'
  const hex = database === 'sqlite' ? 'lower(hex(s.digest))' : "encode(s.digest, 'hex')"
  const joined = (...columns: readonly string[]) => columns.join(` || ${char}(31) || `)
  const place = joined('c.account', 'c.project')
  const shape = joined(
    'c.kind',
    'c.state',
    'c.apis',
    'c.scopes',
    "coalesce(c.role, '')",
    'c.ip_allow',
    "coalesce(c.origin_allow, '')",
    'c.limits',
  )
  const publicId = "case when c.public_id = substr(c.id, 6) then '' else c.public_id end"
  const times = 'c.not_before, c.expires_at, c.created_at, c.state_at, c.blocked_until'
  return `c.id, ${publicId}, ${place}, ${shape}, ${times}, c.version, ${hex} || substr(s.id, 5), s.origin, s.not_after`
}

export type ChunkRow = readonly [
  id: string,
  /** Empty: the end of the id. */
  publicId: string | null,
  place: string,
  shape: string,
  notBefore: number | null,
  expiresAt: number | null,
  createdAt: number,
  stateAt: number | null,
  blockedUntil: number | null,
  version: number,
  /** 64 hex digits of the digest, 32 of the id. */
  secret: string,
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
  const places = createPlaces()
  const shapes = createShapes()
  let count = 0
  let current = ''

  const addCredential = (row: ChunkRow): void => {
    const index = count++
    current = row[0]
    for (let i = 0; i < 12; i++) credentialIds[index * 12 + i] = current.charCodeAt(5 + i)
    const place = places.of(row[2])
    const shape = shapes.of(row[3])
    account[index] = place.account
    project[index] = place.project
    kind[index] = shape.kind
    state[index] = shape.state
    profile[index] = shape.profile
    notBefore[index] = row[4] ?? Number.NaN
    expiresAt[index] = row[5] ?? Number.NaN
    createdAt[index] = row[6]
    stateAt[index] = row[7] ?? Number.NaN
    blockedUntil[index] = row[8] ?? Number.NaN
    version[index] = row[9]
    if (shape.lists !== null || row[1] !== '') own.push(ownFields(index, row[1], current, shape))
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
      accounts: places.accounts,
      projects: places.projects,
      profiles: shapes.profiles,
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
      const secret = row[10]
      for (let i = 0; i < 32; i++) digests[index * 32 + i] = byteAt(secret, 2 * i)
      for (let i = 0; i < 16; i++) secretIds[index * 16 + i] = byteAt(secret, 64 + 2 * i)
      imported[index] = row[11] === 'imported' ? 1 : 0
      notAfter[index] = row[12] ?? Number.NaN
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

const byteAt = (text: string, at: number): number =>
  (hexDigit(text.charCodeAt(at)) << 4) | hexDigit(text.charCodeAt(at + 1))

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

interface Places {
  readonly accounts: readonly string[]
  readonly projects: readonly string[]
  of(text: string): { readonly account: number; readonly project: number }
}

function createPlaces(): Places {
  const accounts = createInterner()
  const projects = createInterner()
  const known = new Map<string, ReturnType<Places['of']>>()
  return {
    accounts: accounts.list,
    projects: projects.list,
    of: (text) => {
      const place = known.get(text)
      if (place !== undefined) return place
      const [account = '', project = ''] = text.split(separator)
      const made = { account: accounts.indexOf(account), project: projects.indexOf(project) }
      known.set(text, made)
      return made
    },
  }
}

/** What a credential has in common with others; its JSON is parsed once for each shape and not for each row. */
interface Shape {
  readonly kind: number
  readonly state: number
  readonly profile: number
  /** Null: no lists or limits of its own. */
  readonly lists: Pick<OwnFields, 'ipAllow' | 'originAllow' | 'limits'> | null
}

function createShapes(): { readonly profiles: readonly string[]; of(text: string): Shape } {
  const profiles = createInterner()
  const known = new Map<string, Shape>()
  const make = (text: string): Shape => {
    const [kind = '', state = '', apis = '', scopes = '', role = '', ips = '', origins = '', limits = ''] =
      text.split(separator)
    const key = profileKey(listOf(apis), listOf(scopes), role === '' ? null : role)
    return {
      kind: indexIn(credentialKinds, kind),
      state: indexIn(credentialStates, state),
      profile: profiles.indexOf(key),
      lists: ips === '[]' && origins === '' && limits === '[]' ? null : listsOf(ips, origins, limits),
    }
  }
  return {
    profiles: profiles.list,
    of: (text) => {
      const shape = known.get(text)
      if (shape !== undefined) return shape
      const made = make(text)
      known.set(text, made)
      return made
    },
  }
}

function listsOf(ips: string, origins: string, limits: string): Shape['lists'] {
  return {
    ipAllow: listOf(ips),
    originAllow: origins === '' ? null : listOf(origins),
    limits: listOf(limits),
  }
}

/** JSON that this program wrote itself, so its type is trusted. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller's field says what it is
function listOf<Item>(json: string): readonly Item[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(json) as Item[]
}

function ownFields(row: number, publicId: string | null, id: string, { lists }: Shape): OwnFields {
  const none = { ipAllow: [], originAllow: null, limits: [] }
  return { row, publicId: publicId === '' ? id.slice('cred_'.length) : publicId, ...(lists ?? none) }
}

function indexIn(list: readonly string[], text: string): number {
  return list.indexOf(text)
}

/** The buffers of a chunk, to be transferred instead of copied. */
export function buffersOf(chunk: RecordChunk): readonly ArrayBuffer[] {
  return Object.values(chunk).flatMap((column: unknown) =>
    ArrayBuffer.isView(column) && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
  )
}
