import { wire } from '@postern/contract'
import Type from 'typebox'

import { sha256 } from '../base/digest.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, found } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { tokenView } from './token-views.ts'
import { pageRequest, pageView } from './views.ts'

const tag = 'Tokens'
const Id = idParameters('id')
const Filter = Type.Optional(Type.String({ maxLength: 100 }))

export const tokens: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/tokens',
    operation('listTokens', {
      tag,
      summary: 'List tokens, newest first',
      description: 'Access tokens, refresh tokens and authorization codes, until some time after they have ended.',
      querystring: Type.Object(
        {
          ...wire.listParameters,
          credential: Filter,
          grant: Filter,
          kind: Type.Optional(wire.TokenKind),
          live: Type.Optional(
            Type.Boolean({ default: false, description: 'Only those that are neither spent, revoked nor expired.' }),
          ),
        },
        wire.closed,
      ),
      response: { 200: wire.TokenList },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const now = clock.now()
      const { credential = null, grant = null, kind = null, live = false } = request.query
      const filter = { credential, grant, kind, liveAt: live ? now : null, scope }
      const page = await store.tokens.list({ ...pageRequest(request.query), ...filter })
      return pageView(page, (token) => tokenView(token, now))
    },
  )

  app.get(
    '/tokens/:id',
    operation('getToken', { tag, summary: 'Read a token', params: Id, response: { 200: wire.ref(wire.Token) } }),
    async (request) => {
      const { scope } = callerOf(request)
      return tokenView(found(await store.tokens.find({ id: request.params.id, scope })), clock.now())
    },
  )

  app.post(
    '/tokens/introspect',
    operation('introspectToken', {
      tag,
      summary: 'Find the token that was presented',
      description:
        'Whose it is, and whether it lives by itself. Whether a request with it would pass is for POST /explain to say.',
      body: wire.ref(wire.IntrospectToken),
      response: { 200: wire.ref(wire.Token) },
      problems: [404],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id } = found(await store.tokens.describe({ digest: sha256(request.body.token) }))
      return tokenView(found(await store.tokens.find({ id, scope })), clock.now())
    },
  )

  app.post(
    '/tokens/:id/revoke',
    operation('revokeToken', {
      tag,
      summary: 'Revoke a token for good',
      description: 'With a refresh token all that came from the same consent ends. What has ended already answers 409.',
      params: Id,
      response: { 200: wire.ref(wire.ChangedToken) },
      problems: [409],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const now = clock.now()
      const token = { id: request.params.id }
      found(await store.tokens.find({ ...token, scope }))
      const by = provenance(request, now)
      const commit = await committed(parts, store.tokens.revoke({ token, client: null, scope, by }))
      if (commit.value === null) throw new Refused('conflict', { detail: 'The token has ended already.' })
      return { token: tokenView(commit.value, now), ...effectOf(parts, commit) }
    },
  )
}
