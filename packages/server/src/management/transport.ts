import { TLSSocket } from 'node:tls'

import type { ManagementParts } from './parts.ts'

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
