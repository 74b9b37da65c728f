import type { Server } from 'node:http'

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'

import type { Clock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { IpRanges } from '../base/ip.ts'
import type { Random } from '../base/random.ts'
import type { AuditVerdict } from '../core/audit/verify.ts'
import type { FieldSealing } from '../core/connections/connection.ts'
import type { Sealing } from '../core/credentials/sealing.ts'
import type { Issuers } from '../core/issuers/verifier.ts'
import type { Endpoint } from '../core/oauth/endpoint.ts'
import type { SigningKeys } from '../core/oauth/signing-keys.ts'
import type { Outbound } from '../core/outbound.ts'
import type { ApplyChanges, DataPlane } from '../core/runtime.ts'
import type { Store } from '../core/store.ts'

/** What the management API is given by the composition root. */
export interface ManagementParts {
  readonly store: Store
  readonly dataPlane: DataPlane
  readonly apply: ApplyChanges
  /** Null: without a shared folder of key files, secrets are shown once. */
  readonly sealing: Sealing | null
  /** Seals the secrets of third parties. */
  readonly connections: FieldSealing
  /** Calls to third parties. */
  readonly outbound: Outbound
  /** Addresses that are not public and that checks of the operator's own connections may call. */
  allowedPrivate(): IpRanges
  /** They sign the access tokens that are JWTs. */
  readonly signingKeys: SigningKeys
  readonly random: Random
  readonly ids: Ids
  readonly clock: Clock
  /** When a change made now holds on every node, epoch ms; null: it cannot be said. */
  effectiveEverywhereBy(now: number): number | null
  /** Where this node stands in the change feed. */
  feed(): { readonly position: number; readonly stale: boolean }
  /** The targets of upstreams as this node knows them. */
  targets(): readonly {
    readonly upstream: string
    readonly target: string
    readonly state: 'up' | 'failing' | 'down'
  }[]
  /** The issuers of JWTs as this node knows their keys. */
  issuers(): ReturnType<Issuers['status']>
  /** Folder that a backup is written to; null: the store is backed up by other means. */
  backupFolder(name: string): string | null
  /** The audit log against the checkpoints of this node. */
  verifyAudit(): Promise<AuditVerdict>
  /** What the console serves at a path beside the management API; null: nothing. */
  endpoint?(path: string): Endpoint | null
  /** TLS on the console's listener; without it, it speaks plain HTTP. */
  readonly tls?: ConsoleTls
  readonly version: string
  readonly node: string
  readonly startedAt: number
  /** Faults only: an event name, fields without secrets, and the error itself. */
  reportFault(event: string, fields: Readonly<Record<string, unknown>>, error: unknown): void
}

interface ConsoleTls {
  /** Whether new connections have to be TLS. */
  on(): boolean
  /** Strict-Transport-Security as name and value; empty where it is not declared. */
  hsts(): readonly string[]
  /** Puts TLS between the server's connections and its HTTP parser; plain HTTP is let through, to be refused. */
  attach(server: Server): void
}

export type Management = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** One resource: adds its operations to the router. */
export type Resource = (app: Management, parts: ManagementParts) => void
