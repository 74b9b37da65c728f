import type { OAuthDialect } from './dialect.ts'

/** What Postern serves at a route itself, instead of forwarding the request. */
export interface LocalRoute {
  readonly endpoint: LocalEndpoint
  readonly dialect: OAuthDialect
}

/** `page`: whatever else the console has (metadata, keys, what people see). */
export type LocalEndpoint = 'token' | 'introspection' | 'revocation' | 'page'
