import { credentialKinds, credentialStates } from '../core/credentials/credential.ts'
import type { OAuthClient } from '../core/credentials/oauth-client.ts'
import type { ModelTerms } from '../core/llm/terms.ts'
import { profileKey, type OwnFields, type RecordChunk } from '../core/records/record.ts'

export const credentialsPerChunk = 20_000

/** Ids of credentials begin with `cred_`: in every collation this comes after them. */
export const pastEveryId = 'd'

/** Between the columns of a text that holds several, and between the rows of a text that holds all. */
const columnEnd = '\u001f'
const rowEnd = '\u001e'

/**
 * The two statements of a chunk. The database packs: each answers one row whose values are whole columns, all rows
 * joined to one text, because a value for each row costs several times what it holds on its way into JavaScript.
 * What few credentials have comes as JSON for those that have it.
 */
export interface ChunkStatements {
  /** Parameters: after which id, up to which, dead since (twice), how many. Answers `CredentialColumns`. */
  readonly credentials: string
  /** Parameters: after which credential, up to which, dead since. Answers `SecretColumns`. */
  readonly secrets: string
}

export function chunkStatements(database: 'sqlite' | 'postgres'): ChunkStatements {
  const words = database === 'sqlite' ? sqliteWords : postgresWords
  const [first, second, third, fourth, fifth] = words.parameters
  const columns = (...names: readonly string[]) => names.join(` || ${words.char}(31) || `)
  const perRow = (text: string) => joined(text, `${words.char}(30)`)
  const numbers = (column: string) => joined(`coalesce(cast(${column} as text), '')`, "','")
  const rare = `public_id is distinct from substr(id, 6) or ip_allow <> '[]' or origin_allow is not null
    or limits <> '[]' or llm is not null or oauth is not null or not_before is not null or state_at is not null or blocked_until is not null`
  return {
    credentials: `select count(*), max(id), ${joined('substr(id, 6)', "''")}, ${perRow(columns('account', 'project'))},
        ${perRow(columns('kind', 'state', 'apis', 'scopes', "coalesce(role, '')"))},
        ${numbers('created_at')}, ${numbers('version')}, ${numbers('expires_at')},
        ${words.jsonRows}(${words.jsonRow}(substr(id, 6), public_id, ip_allow, origin_allow, limits, not_before,
          state_at, blocked_until, llm, oauth)) filter (where ${rare})
      from (
        select * from credentials where id > ${first} and id <= ${second}
          and (state in ('active', 'blocked') or state_at >= ${third}) and (expires_at is null or expires_at >= ${fourth})
          order by id limit ${fifth}
      ) c`,
    secrets: `select count(*), ${joined('substr(credential, 6)', "''")}, ${words.bytes('digest')},
        ${words.bytes(words.unhex('substr(id, 5)'))},
        ${joined("case origin when 'imported' then '1' else '0' end", "''")}, ${numbers('not_after')}
      from (
        select * from secrets where credential > ${first} and credential <= ${second}
          and (not_after is null or not_after >= ${third}) order by credential, id
      ) s`,
  }
}

const joined = (text: string, end: string): string => `string_agg(${text}, ${end})`

const sqliteWords = {
  parameters: ['?', '?', '?', '?', '?'],
  char: 'char',
  jsonRows: 'json_group_array',
  jsonRow: 'json_array',
  unhex: (text: string) => `unhex(${text})`,
  // Joined as text, whose bytes are kept as they are.
  bytes: (column: string) => `cast(string_agg(${column}, '') as blob)`,
} as const

const postgresWords = {
  parameters: ['$1', '$2', '$3', '$4', '$5'],
  char: 'chr',
  jsonRows: 'json_agg',
  jsonRow: 'json_build_array',
  unhex: (text: string) => `decode(${text}, 'hex')`,
  bytes: (column: string) => `string_agg(${column}, ''::bytea)`,
} as const

export interface Packed {
  readonly chunk: RecordChunk
  /** The last credential in it; null: no more are there. */
  readonly last: string | null
}

export type CredentialColumns = readonly [
  count: number,
  last: string | null,
  /** 12 characters each: the id after `cred_`. */
  ids: string | null,
  places: string | null,
  shapes: string | null,
  createdAt: string | null,
  version: string | null,
  expiresAt: string | null,
  /** JSON of `RareFields`, which PostgreSQL's driver has parsed already. */
  rare: string | readonly RareFields[] | null,
]

type RareFields = readonly [
  id12: string,
  publicId: string | null,
  ipAllow: string,
  originAllow: string | null,
  limits: string,
  notBefore: number | null,
  stateAt: number | null,
  blockedUntil: number | null,
  llm: string | null,
  oauth: string | null,
]

export type SecretColumns = readonly [
  count: number,
  /** 12 characters each. */
  owners: string | null,
  digests: Uint8Array | null,
  ids: Uint8Array | null,
  /** One digit each. */
  imported: string | null,
  notAfter: string | null,
]

/** The chunk of both answers. Secrets whose credential is not among them are left out. */
export function packChunk(credentials: CredentialColumns, secrets: SecretColumns): RecordChunk {
  const [count, , ids, places, shapes, createdAt, version, expiresAt, rare] = credentials
  const idTexts = ids ?? ''
  let known: ReadonlyMap<string, number> | null = null
  const rowOf = (id: string): number => (known ??= rowsById(idTexts, count)).get(id) ?? -1
  return {
    credentialCount: count,
    credentialIds: bytesOfAscii(idTexts, 12 * count),
    ...packPlaces(rowsOf(places, count)),
    ...packShapes(rowsOf(shapes, count)),
    expiresAt: numbersOf(expiresAt, new Float64Array(count)),
    createdAt: numbersOf(createdAt, new Float64Array(count)),
    version: numbersOf(version, new Uint32Array(count)),
    ...packRare(parsedRows(rare), count, rowOf),
    ...packSecrets(secrets, idTexts, rowOf),
  }
}

type Part<Name extends keyof RecordChunk> = Pick<RecordChunk, Name>

function rowsById(ids: string, count: number): ReadonlyMap<string, number> {
  return new Map(Array.from({ length: count }, (_, row) => [ids.slice(12 * row, 12 * row + 12), row]))
}

function packPlaces(texts: readonly string[]): Part<'account' | 'project' | 'accounts' | 'projects'> {
  const accounts = createInterner()
  const projects = createInterner()
  const known = new Map<string, readonly [number, number]>()
  const make = (text: string): readonly [number, number] => {
    const [account = '', project = ''] = text.split(columnEnd)
    const made = [accounts.indexOf(account), projects.indexOf(project)] as const
    known.set(text, made)
    return made
  }
  const account = new Uint32Array(texts.length)
  const project = new Uint32Array(texts.length)
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] ?? ''
    const place = known.get(text) ?? make(text)
    account[row] = place[0]
    project[row] = place[1]
  }
  return { account, project, accounts: accounts.list, projects: projects.list }
}

/** What credentials have in common; its JSON is parsed once for each that differs and not for each row. */
function packShapes(texts: readonly string[]): Part<'kind' | 'state' | 'profile' | 'profiles'> {
  const profiles = createInterner()
  const known = new Map<string, readonly [number, number, number]>()
  const make = (text: string): readonly [number, number, number] => {
    const [kind = '', state = '', apis = '', scopes = '', role = ''] = text.split(columnEnd)
    const key = profileKey(listOf(apis), listOf(scopes), role === '' ? null : role)
    const made = [indexIn(credentialKinds, kind), indexIn(credentialStates, state), profiles.indexOf(key)] as const
    known.set(text, made)
    return made
  }
  const kind = new Uint8Array(texts.length)
  const state = new Uint8Array(texts.length)
  const profile = new Uint32Array(texts.length)
  let shape: readonly [number, number, number] = [0, 0, 0]
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row] ?? ''
    // Neighbours are often alike, and comparing costs less than looking up.
    if (row === 0 || text !== texts[row - 1]) shape = known.get(text) ?? make(text)
    kind[row] = shape[0]
    state[row] = shape[1]
    profile[row] = shape[2]
  }
  return { kind, state, profile, profiles: profiles.list }
}

function packRare(
  rows: readonly RareFields[],
  count: number,
  rowOf: (id: string) => number,
): Part<'notBefore' | 'stateAt' | 'blockedUntil' | 'own'> {
  const notBefore = new Float64Array(count).fill(Number.NaN)
  const stateAt = new Float64Array(count).fill(Number.NaN)
  const blockedUntil = new Float64Array(count).fill(Number.NaN)
  const own: OwnFields[] = []
  for (const fields of rows) {
    const row = rowOf(fields[0])
    notBefore[row] = fields[5] ?? Number.NaN
    stateAt[row] = fields[6] ?? Number.NaN
    blockedUntil[row] = fields[7] ?? Number.NaN
    const lists = ownFields(row, fields)
    if (lists !== null) own.push(lists)
  }
  return { notBefore, stateAt, blockedUntil, own }
}

function ownFields(row: number, fields: RareFields): OwnFields | null {
  const [id, publicId, ipAllow, originAllow, limits, , , , llm, oauth] = fields
  const none = ipAllow === '[]' && originAllow === null && limits === '[]' && llm === null && oauth === null
  if (publicId === id && none) return null
  return {
    row,
    publicId,
    ipAllow: listOf(ipAllow),
    originAllow: originAllow === null ? null : listOf(originAllow),
    limits: listOf(limits),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON that this program wrote itself
    llm: llm === null ? null : (JSON.parse(llm) as ModelTerms),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    oauth: oauth === null ? null : (JSON.parse(oauth) as OAuthClient),
  }
}

type SecretPart = Part<'secretCount' | 'secretOwner' | 'digests' | 'secretIds' | 'imported' | 'notAfter'>

function packSecrets(secrets: SecretColumns, credentialIds: string, rowOf: (id: string) => number): SecretPart {
  const [count, owners, digests, ids, imported, notAfter] = secrets
  const owner = new Int32Array(count)
  // One secret each is the rule, and then row i is its own owner.
  if (owners === credentialIds) for (let i = 0; i < count; i++) owner[i] = i
  else for (let i = 0; i < count; i++) owner[i] = rowOf((owners ?? '').slice(12 * i, 12 * i + 12))
  const all = {
    secretCount: count,
    secretOwner: new Uint32Array(owner.buffer),
    digests: ownBytes(digests, 32 * count),
    secretIds: ownBytes(ids, 16 * count),
    imported: bytesOfAscii(imported ?? '', count).map((digit) => digit & 1),
    notAfter: numbersOf(notAfter, new Float64Array(count)),
  }
  return owner.includes(-1) ? ownedOnly(all, owner) : all
}

function ownedOnly(all: SecretPart, owner: Int32Array): SecretPart {
  const kept = Uint32Array.from(owner.keys()).filter((i) => owner[i] !== -1)
  const bytes = (column: Uint8Array, width: number) =>
    Uint8Array.from({ length: kept.length * width }, (_, at) => {
      return column[(kept[Math.floor(at / width)] ?? 0) * width + (at % width)] ?? 0
    })
  return {
    secretCount: kept.length,
    secretOwner: kept.map((i) => owner[i] ?? 0),
    digests: bytes(all.digests, 32),
    secretIds: bytes(all.secretIds, 16),
    imported: bytes(all.imported, 1),
    notAfter: Float64Array.from(kept, (i) => all.notAfter[i] ?? Number.NaN),
  }
}

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

function rowsOf(text: string | null, count: number): readonly string[] {
  const rows = count === 0 ? [] : (text ?? '').split(rowEnd)
  if (rows.length !== count) throw new Error(`${rows.length} packed texts for ${count} rows`)
  return rows
}

function bytesOfAscii(text: string, length: number): Uint8Array {
  return ownBytes(Buffer.from(text, 'latin1'), length)
}

/** In a buffer of their own, that can be transferred. */
function ownBytes(bytes: Uint8Array | null, length: number): Uint8Array {
  const own = new Uint8Array(length)
  if ((bytes?.length ?? 0) !== length) throw new Error(`${bytes?.length} packed bytes instead of ${length}`)
  if (bytes !== null) own.set(bytes)
  return own
}

const comma = 44
const zero = 48

/** Whole numbers from zero on, separated by commas; nothing between two commas is NaN. */
function numbersOf<Column extends Float64Array | Uint32Array>(text: string | null, into: Column): Column {
  const digits = text ?? ''
  let row = 0
  let value = Number.NaN
  for (let at = 0; at < digits.length; at++) {
    const code = digits.charCodeAt(at)
    if (code === comma) {
      into[row++] = value
      value = Number.NaN
    } else value = (value >= 0 ? value * 10 : 0) + code - zero
  }
  if (into.length > 0) into[row++] = value
  if (row !== into.length) throw new Error(`${row} packed numbers for ${into.length} rows`)
  return into
}

function parsedRows(rare: CredentialColumns[8]): readonly RareFields[] {
  return typeof rare === 'string' ? listOf(rare) : (rare ?? [])
}

/** JSON that this program wrote itself, so its type is trusted. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller's field says what it is
function listOf<Item>(json: string): readonly Item[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return JSON.parse(json) as Item[]
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
