import type { Ids } from '../../base/ids.ts'
import { type Result, fail, ok } from '../../base/result.ts'
import type { ImportedCredential } from '../store.ts'
import type { AcceptedTerms, Fault } from './terms.ts'

/**
 * Takes over a credential of another system by the SHA-256 of what its holder presents: nobody needs a new one.
 * The secret itself is never seen here, so it has no hint and cannot be shown.
 */
export function importCredential(
  terms: AcceptedTerms,
  imported: { readonly digest: string; readonly publicId: string | null },
  ids: Ids,
): Result<ImportedCredential, Fault> {
  const digest = parseDigest(imported.digest)
  if (digest === null) return fail({ path: '/digest', message: 'is not a SHA-256 digest of 64 hex digits or base64' })
  if (terms.form === 'pair' && imported.publicId === null) {
    return fail({ path: '/public_id', message: 'is needed: these APIs take pairs' })
  }
  if (terms.kind === 'oauth_client' && imported.publicId === null) {
    return fail({ path: '/public_id', message: 'is needed: it is the client_id' })
  }
  if (terms.oauth?.type === 'public') {
    return fail({ path: '/oauth/type', message: 'is public: such a client has no secret to be imported by; create it' })
  }
  return ok({
    id: `cred_${ids.credential()}`,
    publicId: imported.publicId,
    form: terms.form,
    kind: terms.kind,
    apis: terms.apis,
    name: terms.name,
    scopes: terms.scopes,
    role: terms.role,
    ipAllow: terms.ipAllow,
    originAllow: terms.originAllow,
    limits: terms.limits,
    llm: terms.llm,
    oauth: terms.oauth,
    notBefore: terms.notBefore,
    expiresAt: terms.expiresAt,
    primary: false,
    metadata: terms.metadata,
    secret: { id: ids.next('sec'), digest, hint: null, origin: 'imported', sealed: null },
  })
}

/** 32 bytes from 64 hex digits, base64 or base64url; null for anything else. */
export function parseDigest(text: string): Uint8Array | null {
  if (/^[0-9A-Fa-f]{64}$/.test(text)) return Buffer.from(text, 'hex')
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === 32 ? bytes : null
}
