/** Base URLs that people write: no user, no query, no fragment, no dot segment, no slash at the end. */
const path = String.raw`(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)*`
const host = String.raw`([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?`

/** Plain HTTP as well: it is sent only to addresses that the operator has allowed. */
export const anyBase = {
  pattern: new RegExp(`^https?://${host}(:[0-9]{1,5})?${path}$`),
  expects: 'a URL that begins with https:// (or http://), without user, query or a slash at its end',
} as const
