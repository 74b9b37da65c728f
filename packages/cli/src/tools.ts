import type { Client } from './client/client.ts'
import { createClient } from './client/client.ts'
import { findConnection } from './client/connection.ts'
import { exchangeLog, noExchangeLog } from './client/exchange-log.ts'
import type { Io } from './io.ts'
import type { ColourChoice } from './output/colour.ts'
import { createOutput, type Output } from './output/output.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly color: ColourChoice
  readonly verbose?: boolean
  readonly yes?: boolean
  readonly plainHttp?: boolean
}

/** What a command works with. */
export interface Tools {
  readonly io: Io
  readonly out: Output
  readonly options: GlobalOptions
  /** Made when first asked for, so that commands without a server need no key. */
  readonly client: () => Client
}

export function createTools(io: Io, options: GlobalOptions): Tools {
  let client: Client | null = null
  return {
    io,
    out: createOutput(io, { json: options.json === true, color: options.color }),
    options,
    client: () => {
      const log = options.verbose === true ? exchangeLog(io.stderr.write) : noExchangeLog
      client ??= createClient(findConnection(io, { plainHttp: options.plainHttp === true }), log)
      return client
    },
  }
}
