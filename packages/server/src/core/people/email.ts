/** Longest address that fits into a mail path (RFC 5321, section 4.5.3.1.3), in octets. */
const bytesMax = 254
const localBytesMax = 64

/**
 * An e-mail address in the one form in which addresses are stored and compared: trimmed, lower case, NFC. Null: it is
 * none that mail could be sent to. Letters of every script are taken (RFC 6531); quoted local parts, comments and
 * address literals are not, nor is anything that cannot be seen.
 */
export function emailOf(text: string): string | null {
  // Bounded before anything is done with it; normalising can shorten a text, but never by this much.
  if (text.length > 4 * bytesMax) return null
  const email = text.trim().toLowerCase().normalize('NFC')
  const at = email.lastIndexOf('@')
  const local = email.slice(0, Math.max(0, at))
  const domain = email.slice(at + 1)
  if (Buffer.byteLength(email) > bytesMax || Buffer.byteLength(local) > localBytesMax) return null
  return localPart.test(local) && domain.split('.').every((label) => domainLabel.test(label)) ? email : null
}

/** Atoms between dots (RFC 5322, section 3.2.3; RFC 6531, section 3.3). */
const localPart = /^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u
const domainLabel = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?$/u
