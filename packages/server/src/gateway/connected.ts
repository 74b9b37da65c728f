import type { ConnectionUse, Environment } from '../core/apis/api.ts'
import type { Injection } from '../core/connections/injection.ts'
import type { ConnectionTable, Unusable } from '../core/connections/table.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'

/** Where routes find the credential of the connection that they name. */
export interface Connected {
  /** Null: there is no usable one, and the request must not go on without it. `now` in epoch ms. */
  find(uses: ConnectionUses, environment: Environment, evaluation: Evaluation, now: number): Injection | null
  /** Whether what was found may still be used: its connection was neither disabled, deleted nor rotated. */
  inForce(injection: Injection): boolean
}

/** The connections as the gateway sees them. */
export type UsableConnections = Pick<ConnectionTable, 'find' | 'inForce'>
type ConnectionUses = Readonly<Record<Environment, ConnectionUse | null>>

const tellEveryMs = 60_000

/** Without a table nothing is found. What is missing is told once a minute, however many requests want it. */
export function createConnected(
  table: UsableConnections | null,
  tell: (event: string, fields: Readonly<Record<string, unknown>>, error: unknown) => void,
): Connected {
  const toldAt = new Map<string, number>()
  const missing = (use: ConnectionUse | null, reason: Unusable | 'undeclared', api: string, now: number): null => {
    const what = use === null ? api : 'name' in use ? use.name : use.platform
    if (now - (toldAt.get(what) ?? -Infinity) < tellEveryMs) return null
    toldAt.set(what, now)
    tell('connection.unavailable', { api, ...use, connection_reason: reason }, sentences[reason])
    return null
  }
  return {
    find: (uses, environment, { api, principal }, now) => {
      const use = uses[environment]
      const of = api?.id ?? ''
      if (use === null) return missing(use, 'undeclared', of, now)
      const found = table?.find(use, principal, now)
      if (found?.ok === true) return found.value
      return missing(use, found?.error ?? 'absent', of, now)
    },
    inForce: (injection) => table?.inForce(injection) === true,
  }
}

const sentences: Readonly<Record<Unusable | 'undeclared', string>> = {
  absent: 'there is no such connection',
  disabled: 'the connection is disabled',
  several: 'two active connections fit; disable one of them',
  unreadable: 'the connection was sealed with another key file than the one that is here',
  body: 'the platform takes its credential in the body, which the gateway does not rewrite',
  undeclared: 'the API declares no connection for this environment',
}
