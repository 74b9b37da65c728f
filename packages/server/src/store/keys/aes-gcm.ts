import { createCipheriv, createDecipheriv } from 'node:crypto'

import type { Random } from '../../base/random.ts'
import { Secret } from '../../base/secret.ts'
import { SealBroken } from '../../core/credentials/sealing.ts'

const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM: nonce, ciphertext, tag. What is sealed opens only with the same key and associated data. */
export function sealBytes(key: Uint8Array, secret: Secret, associated: string, random: Random): Uint8Array {
  const nonce = random.bytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(associated))
  return new Uint8Array(
    Buffer.concat([nonce, cipher.update(secret.reveal(), 'utf8'), cipher.final(), cipher.getAuthTag()]),
  )
}

/** Throws `SealBroken` where any byte of it, the key or the associated data is another. */
export function openBytes(key: Uint8Array, bytes: Uint8Array, associated: string): Secret {
  if (bytes.length < nonceBytes + tagBytes) throw new SealBroken('the sealed copy is cut short')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes))
  decipher.setAAD(Buffer.from(associated)).setAuthTag(bytes.subarray(-tagBytes))
  try {
    const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()])
    return new Secret(text.toString('utf8'))
  } catch (cause) {
    throw new SealBroken('the sealed copy does not belong to this row, or was altered', { cause })
  }
}
