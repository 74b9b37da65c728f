import { wire } from '@postern/contract'

import type { SigningKey } from '../core/oauth/signing-keys.ts'
import { provenance } from './caller.ts'
import { committed, effectOf } from './commits.ts'
import { operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { timestamp, timestampOrNull } from './times.ts'

const tag = 'Signing keys'

/** The keys that sign access tokens lie in files; what is done to them is an event all the same. */
export const signingKeys: Resource = (app, parts) => {
  const { store, clock, signingKeys: keys } = parts

  app.get(
    '/signing-keys',
    operation('listSigningKeys', {
      tag,
      summary: 'List the keys that sign access tokens, newest first',
      response: { 200: wire.ref(wire.SigningKeyList) },
    }),
    () => ({ data: listed(parts), next_cursor: null }),
  )

  app.post(
    '/signing-keys/rotate',
    operation('rotateSigningKeys', {
      tag,
      summary: 'Let another key sign',
      description:
        'The next key takes over once everybody can have seen it; what the old one signed stays good until it expires. With `compromised` the current key goes at once, on every node, and nothing that it signed is good any more.',
      body: wire.ref(wire.RotateSigningKeys),
      response: { 200: wire.ref(wire.RotatedSigningKeys) },
      problems: [409, 507],
    }),
    async (request) => {
      const now = clock.now()
      const { compromised = false } = request.body
      const { kid } = compromised ? removeCurrent(parts, now) : keys.rotate(now)
      const action = compromised ? 'signing_key.removed' : 'signing_key.rotated'
      const event = { action, targetKind: 'signing_key', targetId: kid } as const
      const commit = await committed(parts, store.system.note({ event, by: provenance(request, now) }))
      return { data: listed(parts), ...effectOf(parts, commit) }
    },
  )
}

/** A key that somebody else may have is gone before anything is written down. */
function removeCurrent({ signingKeys: keys }: ManagementParts, now: number): SigningKey {
  const current = keys.list(now).find(({ state }) => state === 'current')
  if (current === undefined) throw new Refused('conflict', { detail: 'No key signs yet, so that none can be removed.' })
  keys.remove(current.kid, now)
  return current
}

function listed({ signingKeys: keys, clock }: ManagementParts): wire.SigningKey[] {
  return keys.list(clock.now()).map(({ kid, state, createdAt, usedFrom, usedUntil }) => ({
    kid,
    algorithm: 'ES256',
    state,
    created_at: timestamp(createdAt),
    used_from: timestamp(usedFrom),
    used_until: timestampOrNull(usedUntil),
  }))
}
