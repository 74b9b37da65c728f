import { hkdfSync } from 'node:crypto'

import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import { SealBroken } from '../../core/credentials/sealing.ts'
import type { PeopleSealing } from '../../core/people/sealing.ts'
import { openBytes, sealBytes } from './aes-gcm.ts'
import type { KeyFiles } from './key-files.ts'

/** A key of its own, for nothing else: what the operator backs up with `keys/standing/`. */
const standingKey = 'standing/people'
const dayMs = 86_400_000
/** Longer than anything that is sealed here. */
const sealedLengthMax = 16_384

/** Second factors are bound to their user; texts to their purpose, each day under a key of its own. */
export function createPeopleSealing(files: KeyFiles, random: Random): PeopleSealing {
  const ensureKey = () => files.ensure(standingKey, () => random.bytes(32))
  const keyOfDay = cachedFor(8, (day: string) => derived(ensureKey(), `postern text ${day}`))
  return {
    sealTotp: (secret, user) => ({
      bytes: sealBytes(derived(ensureKey(), 'postern totp'), secret, ofUser(user), random),
      key: standingKey,
    }),
    openTotp: ({ bytes, key: name }, user) => {
      const key = files.read(name)
      if (key === null) throw new SealBroken('the key file of second factors is not here')
      return openBytes(derived(key, 'postern totp'), bytes, ofUser(user))
    },
    sealText: (text, purpose, now) => {
      const day = Math.floor(now / dayMs).toString(36)
      return `${day}.${Buffer.from(sealBytes(keyOfDay(day), text, ofText(purpose), random)).toString('base64url')}`
    },
    openText: (sealed, purpose) => {
      const [, day, encoded] = /^([0-9a-z]{1,8})\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? []
      if (day === undefined || encoded === undefined || sealed.length > sealedLengthMax) return null
      const bytes = Buffer.from(encoded, 'base64url')
      // One text for the same bytes: nothing can be added that is not looked at.
      if (bytes.toString('base64url') !== encoded) return null
      return opened(() => openBytes(keyOfDay(day), bytes, ofText(purpose)))
    },
  }
}

const ofUser = (user: string): string => JSON.stringify(['totp', user])
const ofText = (purpose: string): string => JSON.stringify(['text', purpose])

/** Keys for different uses that say nothing of each other (RFC 5869). */
function derived(key: Uint8Array, use: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, '', use, 32))
}

/** The last few answers; what a client sends cannot make it grow. */
function cachedFor<Value>(max: number, make: (key: string) => Value): (key: string) => Value {
  const known = new Map<string, Value>()
  return (key) => {
    const value = known.get(key) ?? make(key)
    known.delete(key)
    known.set(key, value)
    if (known.size > max) known.delete(known.keys().next().value ?? key)
    return value
  }
}

function opened(open: () => Secret): Secret | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof SealBroken) return null
    throw error
  }
}
