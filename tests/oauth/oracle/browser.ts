/**
 * A browser without JavaScript, as far as a sign-in needs one: keeps cookies, follows redirects, fills in the first
 * form of each page. Ends at the redirect to one of `ends`.
 */
export async function follow(
  start: string,
  ends: readonly string[],
  fields: Readonly<Record<string, string>>,
  jar: Map<string, string> = new Map<string, string>(),
): Promise<URL> {
  let url = new URL(start)
  let form: URLSearchParams | null = null
  for (let step = 0; step < 20; step++) {
    const response: Response = await fetch(url, {
      redirect: 'manual',
      headers: {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form !== null && { origin: url.origin, 'sec-fetch-site': 'same-origin' }),
      },
      ...(form !== null && { method: 'POST', body: form }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split(/=(.*)/s)
      if (/max-age=0/i.test(cookie)) jar.delete(name)
      else jar.set(name, value)
    }
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      form = null
      if (ends.some((end) => url.href.startsWith(end) && url.origin !== new URL(start).origin)) return url
      continue
    }
    const page = await response.text()
    const found = formIn(page)
    if (found === null) throw new Error(`${response.status} ${url.pathname}: no way on from\n${page}`)
    url = new URL(found.action === '' ? url.href : found.action, url)
    form = new URLSearchParams(found.inputs.map(([name, value]): [string, string] => [name, fields[name] ?? value]))
  }
  throw new Error('a sign-in without an end')
}

interface Form {
  readonly action: string
  readonly inputs: readonly (readonly [string, string])[]
}

/** The first form that is sent by POST; of several buttons the first, of choices the checked ones. */
function formIn(page: string): Form | null {
  const form = [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].find(([, attributes = '']) =>
    /method="?post/i.test(attributes),
  )
  if (form === undefined) return null
  const [, attributes = '', inner = ''] = form
  const fields = [...inner.matchAll(/<(input|button)\b([^>]*)>/gi)].map(([, tag = '', of = '']) => ({ tag, of }))
  const inputs: [string, string][] = []
  let pressed = false
  const chosen = new Set<string>()
  for (const { tag, of } of fields) {
    const name = attribute(of, 'name')
    const type = attribute(of, 'type') ?? (tag === 'button' ? 'submit' : 'text')
    if (type === 'submit') {
      if (!pressed && name !== null) inputs.push([name, attribute(of, 'value') ?? ''])
      pressed = true
      continue
    }
    if (name === null) continue
    if (type === 'radio') {
      if (chosen.has(name)) continue
      chosen.add(name)
    }
    if (type === 'checkbox' && !/\bchecked\b/.test(of)) continue
    inputs.push([name, attribute(of, 'value') ?? ''])
  }
  return { action: attribute(attributes, 'action') ?? '', inputs }
}

function attribute(tag: string, name: string): string | null {
  const found = new RegExp(`\\b${name}="([^"]*)"`, 'i').exec(tag)
  return found === null ? null : unescaped(found[1] ?? '')
}

function unescaped(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
