import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

import type { PublicJwk, SigningKey, SigningKeys } from '../../core/oauth/signing-keys.ts'
import type { KeyFiles } from './key-files.ts'

interface SigningKeyTimes {
  /** From the making of a key until it signs: by then every verifier has read it. */
  readonly publishedMs: number
  /** A key signs for so long. */
  readonly rotatedMs: number
  /** From the last token that a key may have signed until it is gone: their greatest lifetime, and some for clocks. */
  readonly retiredMs: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const signingKeyTimes: SigningKeyTimes = {
  publishedMs: dayMs,
  rotatedMs: 90 * dayMs,
  // A token lives for a day at most, whatever is declared.
  retiredMs: dayMs + 5 * 60_000,
}

/** Nodes that share the folder agree about its keys within this time. */
const rereadMs = 1000

/**
 * One file for each key, `standing/signing-{number}`, which is never changed: it says when it was made and from when it
 * signs, and everything else follows from the others. Of two nodes that make the next one at once, one wins. What is
 * taken away leaves `signing-{number}-gone` behind, so that its number is never given to another key and no node goes
 * on with what it has read.
 */
export function createSigningKeys(files: KeyFiles, times: SigningKeyTimes = signingKeyTimes): SigningKeys {
  const known = new Map<string, StoredKey>()
  let read: { readonly at: number; readonly keys: readonly StoredKey[]; readonly last: number } | null = null

  const reread = (now: number): { readonly keys: readonly StoredKey[]; readonly last: number } => {
    const names = files.list('standing').filter((name) => name.startsWith(prefix))
    const gone = new Set(names.filter((name) => name.endsWith(goneSuffix)))
    const live = names.filter((name) => !name.endsWith(goneSuffix) && !gone.has(name + goneSuffix))
    const keys = live.flatMap((name) => {
      const bytes = known.has(name) ? null : files.read(name)
      if (bytes !== null) known.set(name, storedKey(name, bytes))
      return known.get(name) ?? []
    })
    for (const name of known.keys()) if (!live.includes(name)) known.delete(name)
    const last = Math.max(0, ...names.map(numberOf))
    read = { at: now, keys: keys.toSorted((a, b) => a.usedFrom - b.usedFrom || a.number - b.number), last }
    return read
  }
  const state = (now: number) => (read !== null && Math.abs(now - read.at) < rereadMs ? read : reread(now))

  const make = (number: number, now: number, usedFrom: number): void => {
    files.ensure(nameOf(number), () => newKey(now, usedFrom))
    reread(now)
  }

  /** Index of the one that signs; there is always one. */
  const currentOf = (now: number): { readonly keys: readonly StoredKey[]; readonly current: number } => {
    for (let attempt = 0; attempt < 2; attempt++) {
      const { keys, last } = state(now)
      const current = keys.findLastIndex(({ usedFrom }) => usedFrom <= now)
      if (current !== -1) return { keys, current }
      // None yet, or the one that signed was taken away: one that is not published yet does not wait any longer.
      make(last + 1, now, now)
    }
    throw new Error('a signing key was made and is not there')
  }

  const views = (now: number): readonly (SigningKey & { readonly stored: StoredKey })[] => {
    const { keys, current } = currentOf(now)
    return keys
      .map((stored, index) => {
        const usedUntil = keys[index + 1]?.usedFrom ?? null
        const { jwk, createdAt, usedFrom } = stored
        const role = index === current ? 'current' : index > current ? 'next' : 'retired'
        return { kid: jwk.kid, state: role, createdAt, usedFrom, usedUntil, jwk, stored } as const
      })
      .filter(({ state: role, usedUntil }) => role !== 'retired' || now < (usedUntil ?? 0) + times.retiredMs)
  }
  const shown = ({ stored: _stored, ...key }: SigningKey & { readonly stored: StoredKey }): SigningKey => key

  const rotate = (now: number): SigningKey => {
    const next = views(now).find(({ state: role }) => role === 'next')
    if (next !== undefined) return shown(next)
    make(state(now).last + 1, now, now + times.publishedMs)
    const made = views(now).at(-1)
    if (made === undefined) throw new Error('the next signing key was made and is not there')
    return shown(made)
  }

  const takeAway = (name: string, now: number): void => {
    files.ensure(name + goneSuffix, () => Buffer.from('gone\n'))
    files.remove(name)
    reread(now)
  }

  return {
    list: (now) => views(now).map(shown).toReversed(),
    current: (now) => {
      const { keys, current } = currentOf(now)
      const key = keys[current]
      if (key === undefined) throw new Error('there is no signing key')
      const { privateKey, jwk } = key
      return {
        kid: jwk.kid,
        sign: (input) =>
          sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url'),
      }
    },
    verifier: (kid, now) => views(now).find((key) => key.kid === kid)?.stored.publicKey ?? null,
    rotate,
    remove: (kid, now) => {
      reread(now)
      const found = views(now).find((key) => key.kid === kid)
      if (found === undefined) return false
      takeAway(found.stored.name, now)
      // Not the one before it, which has had its time: a fresh one.
      if (found.state === 'current') make(state(now).last + 1, now, now)
      return true
    },
    keep: (now) => {
      // Made at the first use, not before.
      if (reread(now).last === 0) return
      const { keys, current } = currentOf(now)
      const signing = keys[current]
      if (signing !== undefined && now - signing.usedFrom >= times.rotatedMs - times.publishedMs) rotate(now)
      const kept = new Set(views(now).map(({ stored }) => stored.name))
      for (const { name } of keys) if (!kept.has(name)) takeAway(name, now)
    },
  }
}

const prefix = 'standing/signing-'
const goneSuffix = '-gone'

const nameOf = (number: number): string => `${prefix}${String(number).padStart(6, '0')}`
const numberOf = (name: string): number => Number.parseInt(name.slice(prefix.length), 10)

interface StoredKey {
  readonly name: string
  readonly number: number
  readonly createdAt: number
  readonly usedFrom: number
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: PublicJwk
}

/** Instants as a first line, then the key itself. */
function newKey(createdAt: number, usedFrom: number): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return Buffer.from(`${createdAt} ${usedFrom}\n${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}`)
}

function storedKey(name: string, bytes: Uint8Array): StoredKey {
  const text = Buffer.from(bytes).toString('utf8')
  const [, createdAt = '', usedFrom = ''] = /^([0-9]+) ([0-9]+)\n/.exec(text) ?? []
  if (usedFrom === '') throw new Error(`${name} is not a signing key of ours`)
  const privateKey = createPrivateKey(text.slice(text.indexOf('\n') + 1))
  const publicKey = createPublicKey(privateKey)
  return {
    name,
    number: numberOf(name),
    createdAt: Number(createdAt),
    usedFrom: Number(usedFrom),
    privateKey,
    publicKey,
    jwk: jwkOf(publicKey),
  }
}

function jwkOf(publicKey: KeyObject): PublicJwk {
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  // RFC 7638, section 3.2: the required members, in this order.
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url')
  return { kty: 'EC', crv: 'P-256', x, y, alg: 'ES256', use: 'sig', kid }
}
