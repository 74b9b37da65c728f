import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'

import type { FastifyServerOptions } from 'fastify'

import type { ManagementParts } from './parts.ts'

/** A head within 10 s, a whole request within 30 s: slow senders hold nothing. */
export const requestTimeoutMs = 30_000
const headersTimeoutMs = 10_000

/**
 * Makes each server of the console: `localhost` has two. `serve` is asked first, and answers whether the request is
 * one of its own.
 */
export function createConsoleServer(
  { tls }: Pick<ManagementParts, 'tls'>,
  serve: (req: IncomingMessage, res: ServerResponse) => boolean,
  headMs = headersTimeoutMs,
): NonNullable<FastifyServerOptions['serverFactory']> {
  return (handler: RequestListener): Server => {
    const server = createServer(
      {
        headersTimeout: headMs,
        requestTimeout: requestTimeoutMs,
        // Node looks every 30 s by itself.
        connectionsCheckingInterval: Math.min(1_000, headMs),
      },
      (req, res) => void (serve(req, res) || handler(req, res)),
    )
    // Each is a file of the process, which the gateway needs too.
    server.maxConnections = 4_096
    tls?.attach(server)
    return server
  }
}
