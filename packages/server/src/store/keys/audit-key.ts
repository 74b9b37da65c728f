import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'

import type { SigningKey } from '../../core/audit/signing.ts'
import type { KeyFiles } from './key-files.ts'

/** The Ed25519 key of audit checkpoints, for nothing else; made at the first use. */
export function auditSigningKey(files: KeyFiles): SigningKey {
  const pem = files.ensure('standing/audit', () =>
    Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
  )
  const privateKey = createPrivateKey(Buffer.from(pem))
  const publicKey = createPublicKey(privateKey)
  return {
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url')),
  }
}
