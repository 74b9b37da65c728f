/**
 * The bytes of a base64url text that has exactly one spelling for them (RFC 7515, section 2; RFC 4648, section 3.5):
 * no padding, no other alphabet, no bits left over. Null: it is another text.
 */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : null
}
