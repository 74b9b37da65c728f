/** Signs checkpoints of the audit chain (Ed25519, RFC 8032). Signatures are base64url. */
export interface SigningKey {
  /** SubjectPublicKeyInfo as PEM: what an auditor keeps elsewhere. */
  readonly publicKeyPem: string
  sign(text: string): string
  verify(text: string, signature: string): boolean
}
