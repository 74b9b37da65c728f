import { BadCursor, StorageFull, StoreUnavailable } from '../../core/store.ts'

/** What crosses between the main thread and a worker. */
export interface Call {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly id: number; readonly progress: unknown }

export interface WireError {
  readonly name: string
  readonly message: string
}

export function toWire(error: unknown): WireError {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'Error', message: String(error) }
}

/** Errors come back as what they were. */
export function fromWire({ name, message }: WireError): Error {
  if (name === 'StoreUnavailable') return new StoreUnavailable(message)
  if (name === 'StorageFull') return new StorageFull(message)
  if (name === 'BadCursor') return new BadCursor(message)
  return new Error(message)
}
