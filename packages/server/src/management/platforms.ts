import { wire } from '@postern/contract'
import Type from 'typebox'

import { isInjectable, type Platform } from '../core/connections/platform.ts'
import { platformOf, platforms as all } from '../core/connections/platforms/index.ts'
import { found } from './commits.ts'
import { idParameters, operation } from './operation.ts'
import type { Resource } from './parts.ts'
import { pageOfDeclared, pageRequest, pageView } from './views.ts'

const tag = 'Connections'

export const platforms: Resource = (app) => {
  app.get(
    '/platforms',
    operation('listPlatforms', {
      tag,
      summary: 'List the platforms that connections can be made to',
      querystring: Type.Object(wire.listParameters, wire.closed),
      response: { 200: wire.PlatformList },
    }),
    async (request) => pageView(pageOfDeclared(all, pageRequest(request.query)), platformView),
  )

  app.get(
    '/platforms/:id',
    operation('getPlatform', {
      tag,
      summary: 'Read what a platform asks for, and how its credentials are rotated',
      params: idParameters('id'),
      response: { 200: wire.ref(wire.Platform) },
    }),
    async (request) => platformView(found(platformOf(request.params.id))),
  )
}

function platformView(platform: Platform): wire.Platform {
  const { id, name, fields, check, rotation, sources } = platform
  const none = 'none' in check
  return {
    id,
    name,
    fields: fields.map(({ pattern: _pattern, ...field }) => field),
    injectable: isInjectable(platform),
    checkable: !none,
    check_note: none ? check.none : check.needs === null ? null : `The call needs ${check.needs}.`,
    rotation: { ...rotation },
    sources: [...sources],
  }
}
