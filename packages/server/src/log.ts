import { pino } from 'pino'

/** Events with fields, no prose, no secrets. */
export interface Log {
  readonly info: (event: string, fields: Readonly<Record<string, unknown>>) => void
  /** A broken promise of our own; `fields` say where, the error why. */
  readonly fault: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void
}

/** JSON lines on standard error; `quiet` leaves only faults. */
export function createLog(options: { readonly quiet: boolean }): Log {
  const log = pino({ level: options.quiet ? 'error' : 'info', base: null }, pino.destination({ dest: 2, sync: true }))
  return {
    info: (event, fields) => log.info({ event, ...fields }),
    fault: (event, fields, error) => log.error({ event, ...fields, error: describe(error) }),
  }
}

/** Name, message and stack of our own errors; messages never hold what a client sent. */
function describe(error: unknown): {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause?: { readonly code?: string; readonly message: string }
} {
  const known = error instanceof Error ? error : new Error(String(error))
  const { name, message, stack, cause } = known
  return { name, message, stack, ...(cause instanceof Error && { cause: describeCause(cause) }) }
}

/** What the system or a library said, such as why a certificate was not trusted. */
function describeCause(cause: Error): { readonly code?: string; readonly message: string } {
  const { message } = cause
  return 'code' in cause && typeof cause.code === 'string' ? { code: cause.code, message } : { message }
}
