/**
 * The text with every key of our format cut down to its public id, and every token, code, client secret and JWT to
 * what tells its class: people paste secrets where none belongs, and what stands in a path or a User-Agent is kept in
 * logs and events. Of a former or foreign brand they are masked as well.
 */
export function withoutKeys(text: string): string {
  const masked = text.includes('_') ? text.replace(keys, '$1$2***').replace(tokens, '$1***') : text
  return masked.includes('.') ? masked.replace(dotted, withoutJwt) : masked
}

const keys = /\b([a-z][a-z0-9]{1,11}_[spim]k_(?:live|test)_)([0-9A-Za-z]{12})[0-9A-Za-z]{8,}/g
const tokens = /\b([a-z][a-z0-9]{1,11}_(?:at|rt|ac|cs)_)[0-9A-Za-z]{8,}/g
/**
 * Two parts or more of base64url with dots between them. A match begins where a part begins and nowhere within it, so
 * that the time is linear in the text.
 */
const dotted = /(?<![A-Za-z0-9_-])([A-Za-z0-9_-]{11,})\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)+/g

/** The header is JSON, and `{"` and `{ ` begin thus. What stands before it was put there by somebody else. */
function withoutJwt(found: string, head: string): string {
  const at = head.search(/ey[AJ]/)
  return at === -1 ? found : `${head.slice(0, at + 3)}***`
}
