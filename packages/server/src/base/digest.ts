import { hash } from 'node:crypto'

/** SHA-256 of the UTF-8 text, 32 bytes. */
export function sha256(text: string | Uint8Array): Uint8Array {
  return hash('sha256', text, 'buffer')
}

/** SHA-256 of the UTF-8 text, 64 lower-case hex digits. */
export function sha256Hex(text: string | Uint8Array): string {
  return hash('sha256', text, 'hex')
}
