import type { Generated, Kysely } from 'kysely'

/**
 * The tables, for both databases: text ids, integer epoch milliseconds, JSON as text, 0/1, digests as 32 bytes.
 * On SQLite `MainTables` and `UsageTables` are two files, on PostgreSQL one database; two more tables of SQLite are
 * known to its usage worker alone (`usage_journal`, `request_indexed`).
 */
interface MainTables {
  accounts: AccountRow
  projects: ProjectRow
  credentials: CredentialRow
  secrets: SecretRow
  sealed_copies: SealedCopyRow
  connections: ConnectionRow
  events: EventRow
  event_personal: EventPersonalRow
  event_head: EventHeadRow
  idempotency: IdempotencyRow
  quotas: QuotaRow
}

interface UsageTables {
  usage_minutes: UsageRow
  usage_hours: UsageRow
  usage_days: UsageRow
  total_hours: TotalRow
  total_days: TotalRow
  country_hours: CountryRow
  country_days: CountryRow
  model_minutes: ModelRow
  model_hours: ModelRow
  model_days: ModelRow
  latency_minutes: LatencyRow
  latency_hours: LatencyRow
  latency_days: LatencyRow
  usage_rollup: RollupRow
  usage_dropped: DroppedRow
  last_uses: LastUseTableRow
  request_blocks: RequestBlockRow
  request_terms: RequestTermRow
  nodes: NodeRow
}

export type Tables = MainTables & UsageTables
export type Db = Kysely<Tables>

export interface AccountRow {
  id: string
  name: string
  plan: string
  state: 'active' | 'suspended'
  suspended_reason: string | null
  overrides: string | null
  metadata: string
  created_at: number
  version: number
}

export interface ProjectRow {
  id: string
  account: string
  name: string
  environment: string
  region: string | null
  ip_allow: string
  metadata: string
  created_at: number
  version: number
}

export interface CredentialRow {
  id: string
  public_id: string | null
  form: string
  kind: string
  account: string
  project: string
  apis: string
  name: string
  scopes: string
  role: string | null
  ip_allow: string
  /** Null: origins are not checked. */
  origin_allow: string | null
  limits: string
  /** Null: whatever the plan allows. */
  llm: string | null
  not_before: number | null
  expires_at: number | null
  state: string
  state_reason: string | null
  state_at: number | null
  blocked_until: number | null
  is_primary: number
  exposed_at: number | null
  hidden: number
  metadata: string
  created_by: string
  created_at: number
  version: number
}

export interface SecretRow {
  credential: string
  id: string
  digest: Uint8Array
  algorithm: string
  hint: string | null
  origin: string
  visible_until: number | null
  not_after: number | null
  created_at: number
  exposed_at: number | null
}

/** A table of its own, so that a closed window leaves nothing behind when its row is deleted. */
interface SealedCopyRow {
  secret: string
  credential: string
  bytes: Uint8Array
  key: string
  visible_until: number
}

export interface ConnectionRow {
  id: string
  account: string
  /** Null: of the whole account. */
  project: string | null
  platform: string
  name: string
  settings: string
  /** JSON of the sealed fields, their bytes in base64; `[]` once deleted. */
  sealed: string
  secret_version: number
  state: string
  state_reason: string | null
  last_check: string | null
  last_used_at: number | null
  created_by: string
  created_at: number
  updated_at: number
  rotated_at: number | null
  version: number
}

export interface EventRow {
  sequence: number
  at: number
  actor_kind: string
  actor_id: string
  action: string
  target_kind: string
  target_id: string
  account: string | null
  project: string | null
  /** The credential that the event touched, for filters and the change feed; derived, not hashed. */
  credential: string | null
  before: string | null
  after: string | null
  request_id: string | null
  commitment: string
  previous_hash: string
  hash: string
}

/** What the chain only commits to; deleting the row erases the person. */
export interface EventPersonalRow {
  sequence: number
  salt: Uint8Array
  ip: string | null
  user_agent: string | null
}

interface EventHeadRow {
  id: number
  sequence: number
  hash: string
}

interface IdempotencyRow {
  key: string
  body_digest: string
  status: number | null
  body: string | null
  started_at: number
}

interface QuotaRow {
  key: string
  period: number
  used: number
}

export interface UsageRow {
  at: number
  account: string
  project: string
  credential: string
  api: string
  route: string
  outcome: string
  country: string
  count: number
}

/** Usage without credential and country: small enough to sum a month of everybody. */
type TotalRow = Omit<UsageRow, 'credential' | 'country'>

/** Usage without credential and route. */
type CountryRow = Omit<UsageRow, 'credential' | 'route'>

export interface ModelRow {
  at: number
  account: string
  project: string
  credential: string
  api: string
  model: string
  metric: string
  count: number
}

export interface LatencyRow {
  at: number
  credential: string
  route: string
  bucket: number
  count: number
}

/** Minutes before `through` are summed up in hours and days. */
interface RollupRow {
  id: number
  through: number
}

interface DroppedRow {
  minute: number
  count: number
}

export interface LastUseTableRow {
  secret: string
  accepted_at: number | null
  accepted_ip: string | null
  accepted_user_agent: string | null
  refused_at: number | null
  refused_ip: string | null
  refused_user_agent: string | null
  refused_code: string | null
}

/** See `core/usage/request-blocks.ts`. */
interface RequestBlockRow {
  /** In the order of insertion. */
  block: Generated<number>
  second: number
  rows: string
}

/** See `request-index.ts`. */
interface RequestTermRow {
  term: string
  hour: number
  list: number
  blocks: string
}

interface NodeRow {
  id: string
  flushed_at: number
}
