import { createServer, type RequestListener, type Server } from 'node:http'
import { TLSSocket } from 'node:tls'

import type { FastifyServerOptions } from 'fastify'

import type { ManagementParts } from './parts.ts'

/** A head within 10 s, a whole request within 30 s: slow senders hold nothing. */
export const requestTimeoutMs = 30_000
const headersTimeoutMs = 10_000

/** Makes each server of the console: `localhost` has two. */
export function createConsoleServer({ tls }: ManagementParts): NonNullable<FastifyServerOptions['serverFactory']> {
  return (handler: RequestListener): Server => {
    const server = createServer({ headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }, handler)
    tls?.attach(server)
    return server
  }
}

/** How a request came: whether it was encrypted, and whether it should have been. */
export function transportOf(
  socket: object,
  { tls }: ManagementParts,
): { readonly encrypted: boolean; readonly plainOnTls: boolean } {
  const encrypted = socket instanceof TLSSocket
  return { encrypted, plainOnTls: !encrypted && tls?.on() === true }
}

/** Strict-Transport-Security, on answers over TLS alone (RFC 6797, section 7.2). */
export function hstsHeader(socket: object, { tls }: ManagementParts): Record<string, string> {
  const [name, value] = socket instanceof TLSSocket ? (tls?.hsts() ?? []) : []
  return name === undefined || value === undefined ? {} : { [name.toLowerCase()]: value }
}
