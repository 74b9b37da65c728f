import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

import type { ManagementParts } from './parts.ts'
import { components } from './validation.ts'

/** The OpenAPI 3.1 document of everything that is registered after it; components keep their names. */
export async function describeApi(app: FastifyInstance, parts: ManagementParts): Promise<void> {
  for (const schema of components) app.addSchema(schema)
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Postern management API',
        version: parts.version,
        description:
          'Accounts, projects, credentials and everything that can be asked about them. Every answer names its request in X-Request-Id; every error is an RFC 9457 problem with a stable code.',
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: { managementKey: { type: 'http', scheme: 'bearer', description: 'A management key.' } },
      },
      security: [{ managementKey: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json['$id'] === 'string' ? json['$id'] : `def-${index}`,
    },
  })
}

const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

const wordmark = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 150 40" fill="#fff"><path d="M4 36V16a12 12 0 0 1 24 0v20h-6V16a6 6 0 0 0-12 0v20z"/><text x="40" y="28" font-family="system-ui,sans-serif" font-size="22" font-weight="600" textLength="100">Postern</text></svg>`

/** The reference for people, from files of our own: no third-party origin is loaded. */
export async function reference(app: FastifyInstance): Promise<void> {
  app.get('/', { schema: { hide: true } }, async (_request, reply) => await reply.redirect('/api/docs'))
  await app.register(fastifySwaggerUi, {
    routePrefix: '/api/docs',
    uiConfig: { url: '/api/v1/openapi.json', validatorUrl: null, deepLinking: true, docExpansion: 'none' },
    staticCSP: contentSecurityPolicy,
    logo: { type: 'image/svg+xml', content: wordmark, href: '/api/docs', target: '_self' },
    theme: { title: 'Postern management API' },
  })
}
