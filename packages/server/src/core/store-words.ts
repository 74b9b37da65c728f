import type { Result } from '../base/result.ts'
import type { RecordChanges } from './records/record.ts'

/** A committed write: what the caller asked for, the after-images, and the sequence of its last event. */
export interface Committed<Value> {
  readonly value: Value
  readonly changes: RecordChanges
  readonly sequence: number
}

/** Why a write was not made. Nothing of it was stored. */
export type WriteRefusal =
  | { readonly code: 'not_found' }
  | { readonly code: 'version_mismatch'; readonly current: number }
  /** `what` is a sentence for people. */
  | { readonly code: 'conflict'; readonly what: string }
  /** The acting credential is no longer live: checked in the transaction of the write. */
  | { readonly code: 'actor_dead' }
  | { readonly code: 'storage_full' }

export type Write<Value> = Promise<Result<Committed<Value>, WriteRefusal>>

export interface Page<Item> {
  readonly items: readonly Item[]
  /** Opaque position after the last item; null: no more. */
  readonly next: string | null
}

export interface PageRequest {
  readonly limit: number
  readonly after: string | null
}

/** Restricts a read or write to one account; null: the operator, who sees all. Elsewhere is `not_found`. */
export type Scope = string | null
