/** Pages that somebody may be sent on to after signing in. */
const pages = [/^\/oauth\/authorize$/, /^\/me(\/[a-z-]+)*$/, /^\/invitation$/]

const lengthMax = 8192

/**
 * The way back that a request names, as a path and query of ours, or null. What a browser would read as another origin
 * (`//host`, `/\host`, a scheme) or resolve to another page (dot segments) is none (statement 4).
 */
export function wayBack(text: string | null): string | null {
  // Visible ASCII without a backslash: nothing that one reader strips and the next one does not.
  if (text === null || text.length > lengthMax || !/^\/(?!\/)[!-[\]-~]*$/.test(text)) return null
  const url = parsed(text)
  if (url === null || url.origin !== nowhere || url.hash !== '') return null
  return pages.some((page) => page.test(url.pathname)) ? url.pathname + url.search : null
}

const nowhere = 'http://nowhere.invalid'

function parsed(text: string): URL | null {
  return URL.canParse(text, nowhere) ? new URL(text, nowhere) : null
}
