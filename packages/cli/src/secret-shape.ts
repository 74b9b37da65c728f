/**
 * The shapes of Postern's own secrets, of any brand (design, section 3): keys, and tokens, codes and client secrets. The
 * checksum is not looked at: a mistyped secret is still nearly all of one.
 */
const shape =
  '[a-z][a-z0-9]{1,11}_(?:(?:sk|pk|ik|mk)_(?:live|test)_[0-9A-Za-z]{50}|(?:at|rt|ac|cs)_[0-9A-Za-z]{49})(?![0-9A-Za-z])'

/** A JWT: two parts, each the base64url of JSON that begins with `{"`, and a signature. */
const jwt = '\\beyJ[A-Za-z0-9_-]{10,}\\.eyJ[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]{10,}'

/** The end of an invitation's link, or of one that sets a password. */
const linkEnd = '(/(?:invitation|reset)/)[0-9A-Za-z]{43}(?![0-9A-Za-z])'

/** Headers that carry one half of a pair, whose secrets have no prefix to know them by. */
const pairHeader = '(?:x-app-token|x-client-token|authorization)\\s*:\\s*(?:bearer\\s+|basic\\s+)?'

const secret = new RegExp(`${shape}|${jwt}|${linkEnd}`)
const literalHeader = new RegExp(`${pairHeader}(?!\\$)[^\\s"'$]{16,}`, 'i')

/** Whether a text, such as an argument, has a secret of ours in it. */
export function holdsSecret(text: string): boolean {
  return secret.test(text) || literalHeader.test(text)
}

/** The text without what looks like a secret of ours. */
export function redact(text: string): string {
  return text
    .replaceAll(new RegExp(shape, 'g'), (found) => `${found.slice(0, found.lastIndexOf('_'))}_[cut]`)
    .replaceAll(new RegExp(jwt, 'g'), 'eyJ[cut]')
    .replaceAll(new RegExp(linkEnd, 'g'), '$1[cut]')
    .replaceAll(new RegExp(`(${pairHeader})[^\\s"']+`, 'gi'), '$1[cut]')
}
