import { createHmac } from 'node:crypto'

import type { Random } from '../../base/random.ts'
import { hintOf, type FieldPlace, type FieldSealing } from '../../core/connections/connection.ts'
import { SealBroken } from '../../core/credentials/sealing.ts'
import { openBytes, sealBytes } from './aes-gcm.ts'
import type { KeyFiles } from './key-files.ts'

/** A key of its own, for nothing else: what the operator backs up with `keys/standing/`. */
const standingKey = 'standing/connections'

/** Account, project, row, field and version of the secrets are associated data: a field opens in its place alone. */
export function createFieldSealing(files: KeyFiles, random: Random): FieldSealing {
  const ensureKey = () => files.ensure(standingKey, () => random.bytes(32))
  const fingerprint: FieldSealing['fingerprint'] = (secret, account) => {
    // The name keeps it apart from everything else that is made of this key.
    const derived = createHmac('sha256', ensureKey()).update('postern connection fingerprint').digest()
    return createHmac('sha256', derived)
      .update(JSON.stringify([account, secret.reveal()]))
      .digest('hex')
      .slice(0, 16)
  }
  return {
    fingerprint,
    seal: (secret, place) => ({
      field: place.field,
      hint: hintOf(secret),
      fingerprint: fingerprint(secret, place.account),
      bytes: sealBytes(ensureKey(), secret, associated(place), random),
      key: standingKey,
    }),
    open: ({ bytes, key: name }, place) => {
      const key = files.read(name)
      if (key === null) throw new SealBroken('the key file of connections is not here')
      return openBytes(key, bytes, associated(place))
    },
  }
}

const associated = ({ account, project, connection, field, secretVersion }: FieldPlace): string =>
  JSON.stringify(['connection', account, project, connection, field, secretVersion])
