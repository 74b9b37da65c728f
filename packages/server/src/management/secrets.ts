import { wire } from '@postern/contract'

import type { Secret } from '../base/secret.ts'
import type { Credential } from '../core/credentials/credential.ts'
import { regenerateSecret } from '../core/credentials/issue.ts'
import { SealBroken } from '../core/credentials/sealing.ts'
import type { SealedCopy } from '../core/store.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, effectOf, found, tagVersion } from './commits.ts'
import { apisOf, mintOf, refuseMoreRights } from './issuing.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { durationMs, instant, timestampOrNull } from './times.ts'
import { credentialView, issuedSecretView, secretView } from './views.ts'

const tag = 'Secrets'
const Id = idParameters('id')
const Ids = idParameters('id', 'sid')
const defaultOverlap = '24h'
const overlapMsMax = 366 * 86_400_000

export const secrets: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/credentials/:id/secrets',
    operation('listSecrets', {
      tag,
      summary: 'List the secrets of a credential and their last use',
      params: Id,
      response: { 200: wire.ref(wire.SecretList) },
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id } = request.params
      const now = clock.now()
      found(await store.credentials.find({ id, scope }))
      const all = await store.credentials.secrets({ id, scope })
      const observedThrough = timestampOrNull(await store.usage.observedThrough({ now }))
      return {
        data: all.map((secret) => secretView(secret, now)),
        next_cursor: null,
        observed_through: observedThrough,
      }
    },
  )

  app.post(
    '/credentials/:id/rotate',
    operation('rotateCredential', {
      tag,
      summary: 'Add a new secret; the others end after the overlap',
      params: Id,
      body: wire.ref(wire.RotateCredential),
      response: { 200: wire.ref(wire.RotatedCredential) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const { scope } = callerOf(request)
      const declaration = parts.dataPlane.declaration()
      const credential = found(await store.credentials.find({ id: request.params.id, scope }))
      refuseMoreRights(request, credential, declaration)
      const project = found(await store.projects.find({ id: credential.project, scope }))
      const overlap = overlapOf(request.body)
      const mint = mintOf(parts)
      const presets = apisOf(credential, declaration).map((api) => api.preset)
      const { secret, value } = regenerateSecret(credential, presets, project.environment, mint)
      const rotation = {
        id: credential.id,
        scope,
        secret,
        endOthersAt: mint.now + overlap,
        by: provenance(request, mint.now),
      }
      const commit = await committed(parts, store.credentials.rotate(rotation))
      tagVersion(reply, commit.value.credential.version)
      return {
        credential: credentialView(commit.value.credential, mint.now),
        secret: issuedSecretView(secret, value, pairIdOf(credential), mint.now),
        secrets: commit.value.secrets.map((each) => secretView(each, mint.now)),
        ...effectOf(parts, commit),
      }
    },
  )

  app.post(
    '/credentials/:id/secrets/:sid/end',
    operation('endSecret', {
      tag,
      summary: 'End one secret, at once or at an instant',
      description: 'Also moves the end of an overlap that is not over.',
      params: Ids,
      body: wire.ref(wire.EndSecret),
      response: { 200: wire.ref(wire.ChangedSecret) },
      problems: [409],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id, sid } = request.params
      const now = clock.now()
      const { at = null } = request.body
      const end = Math.max(now, at === null ? now : instant(at))
      const write = store.credentials.endSecret({ id, secret: sid, scope, at: end, by: provenance(request, now) })
      const commit = await committed(parts, write)
      return { secret: secretView(commit.value, now), ...effectOf(parts, commit) }
    },
  )

  app.post(
    '/credentials/:id/secrets/:sid/reveal',
    operation('revealSecret', {
      tag,
      summary: 'Show a secret again while its visibility window is open',
      params: Ids,
      response: { 200: wire.ref(wire.IssuedSecret) },
      problems: [409, 410],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const { id, sid } = request.params
      const now = clock.now()
      const credential = found(await store.credentials.find({ id, scope }))
      refuseMoreRights(request, credential, parts.dataPlane.declaration())
      const info = found((await store.credentials.secrets({ id, scope })).find((secret) => secret.id === sid) ?? null)
      if (info.visibleUntil === null || info.visibleUntil <= now) throw new Refused('window_closed')
      const { value: copy } = await committed(
        parts,
        store.credentials.reveal({ id, secret: sid, scope, by: provenance(request, now) }),
      )
      if (copy === null || copy.visibleUntil <= now) throw new Refused('window_closed')
      const sealed = { id: sid, hint: info.hint, sealed: copy }
      return issuedSecretView(sealed, opened(parts, copy, sid), pairIdOf(credential), now)
    },
  )
}

function overlapOf(body: wire.RotateCredential): number {
  const overlap = durationMs(body.overlap ?? defaultOverlap)
  if (overlap <= overlapMsMax) return overlap
  throw new Refused('not_acceptable_value', { errors: [{ path: '/overlap', message: 'is longer than 366 days' }] })
}

function pairIdOf(credential: Credential): string | null {
  return credential.form === 'pair' ? credential.publicId : null
}

/** A copy whose key is gone can no longer be shown, whatever the row says. */
function opened(parts: ManagementParts, copy: SealedCopy, rowId: string): Secret {
  if (parts.sealing === null) throw new Refused('window_closed')
  try {
    return parts.sealing.open(copy, rowId)
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    parts.reportFault('secret.seal_broken', { secret: rowId }, error)
    throw new Refused('window_closed')
  }
}
