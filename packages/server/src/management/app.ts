import fastify, { type FastifyInstance } from 'fastify'

import { accounts } from './accounts.ts'
import { audit } from './audit.ts'
import { authenticate } from './authentication.ts'
import { connectionSecrets } from './connection-secrets.ts'
import { connections } from './connections.ts'
import { createConsoleServer, requestTimeoutMs } from './console-server.ts'
import { credentials } from './credentials.ts'
import { explain, verify } from './decisions.ts'
import { apis, plans } from './declared.ts'
import { serveEndpoint } from './endpoints.ts'
import { errorPages } from './error-pages.ts'
import { events } from './events.ts'
import { grants } from './grants.ts'
import { beginIdempotent, finishIdempotent } from './idempotency.ts'
import { imports } from './imports.ts'
import { invitations } from './invitations.ts'
import { acceptJson, bodyBytesMax } from './json-body.ts'
import { members } from './members.ts'
import { answerNotFound, type KnownRoute } from './not-found.ts'
import { describeApi, reference } from './openapi.ts'
import { headersOf } from './operation.ts'
import type { Management, ManagementParts, Resource } from './parts.ts'
import { platforms } from './platforms.ts'
import { privacy } from './privacy.ts'
import { answerError } from './problems.ts'
import { projects } from './projects.ts'
import { requests } from './requests.ts'
import { secrets } from './secrets.ts'
import { buildSerializer } from './serialization.ts'
import { sessions } from './sessions.ts'
import { signingKeys } from './signing-keys.ts'
import { system } from './system.ts'
import { tokens } from './tokens.ts'
import { hstsHeader } from './transport.ts'
import { usage } from './usage.ts'
import { users } from './users.ts'
import { validatorCompiler } from './validation.ts'
import { answerBadTarget, answerClientError, commonHeaders } from './wire-errors.ts'

/** Every resource of /api/v1, in the order of the reference. */
const resources: readonly Resource[] = [
  accounts,
  projects,
  credentials,
  imports,
  secrets,
  tokens,
  grants,
  members,
  invitations,
  users,
  sessions,
  privacy,
  signingKeys,
  platforms,
  connections,
  connectionSecrets,
  plans,
  apis,
  verify,
  explain,
  requests,
  usage,
  events,
  system,
  audit,
]

/** The management API for the console's listener. The caller listens, and may add routes of its own before. */
export async function createManagement(parts: ManagementParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: bodyBytesMax,
    requestIdHeader: false,
    genReqId: () => parts.ids.next('req'),
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: false },
    return503OnClosing: false,
    schemaController: { compilersFactory: { buildSerializer } },
    requestTimeout: requestTimeoutMs,
    serverFactory: createConsoleServer(parts, (req, res) => serveEndpoint(parts, req, res)),
    frameworkErrors: answerBadTarget(parts),
    clientErrorHandler: answerClientError(parts),
  })
  const known: KnownRoute[] = []
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const operation = route.config?.operation ?? null
      known.push({ method, url: route.url, operation })
      const headers = operation === null ? null : headersOf(method, operation)
      if (headers !== null) route.schema = { ...route.schema, headers }
    }
  })
  app.decorate('knownRoutes', known)
  app.setValidatorCompiler(validatorCompiler)
  app.setErrorHandler(answerError(parts))
  app.setNotFoundHandler(answerNotFound(parts, known))
  app.decorateRequest('caller', null).decorateRequest('decided', null).decorateRequest('idempotencyKey', null)
  acceptJson(app)
  addHooks(app, parts)
  await describeApi(app, parts)
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger())
  errorPages(app)
  await reference(app)
  await app.register(
    (scoped, _options, done) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a type provider is a matter of types alone
      const typed = scoped as unknown as Management
      for (const resource of resources) resource(typed, parts)
      done()
    },
    { prefix: '/api/v1' },
  )
  await app.ready()
  return app
}

function addHooks(app: FastifyInstance, parts: ManagementParts): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...commonHeaders(request.id), ...hstsHeader(request.raw.socket, parts) })
  })
  app.addHook('onRequest', authenticate(parts))
  app.addHook('preValidation', async (request) => {
    // A body that was not sent is an empty one: its missing fields are then named.
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {}
  })
  app.addHook('preHandler', beginIdempotent(parts))
  app.addHook('onSend', finishIdempotent(parts))
  app.addHook('onResponse', async (request, reply) => {
    if (request.decided === null) return
    const { evaluation, facts } = request.decided
    const { statusCode: status, elapsedTime: latencyMs } = reply
    parts.dataPlane.meter({
      evaluation,
      facts,
      requestId: request.id,
      via: 'management',
      status,
      ended: 'answered',
      latencyMs,
      received: 0,
      upstreamMs: null,
      sent: 0,
      llm: null,
    })
  })
}
