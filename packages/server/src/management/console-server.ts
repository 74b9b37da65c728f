import { createServer, type RequestListener, type Server } from 'node:http'

import type { FastifyServerOptions } from 'fastify'

import { serveEndpoint } from './endpoints.ts'
import type { ManagementParts } from './parts.ts'

/** A head within 10 s, a whole request within 30 s: slow senders hold nothing. */
export const requestTimeoutMs = 30_000
const headersTimeoutMs = 10_000

/** Makes each server of the console: `localhost` has two. */
export function createConsoleServer(parts: ManagementParts): NonNullable<FastifyServerOptions['serverFactory']> {
  return (handler: RequestListener): Server => {
    const server = createServer(
      { headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs },
      (req, res) => void (serveEndpoint(parts, req, res) || handler(req, res)),
    )
    parts.tls?.attach(server)
    return server
  }
}
