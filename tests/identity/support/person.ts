/** A page as a browser without scripts has it. */
export interface Shown {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Of a redirect, as it was sent. */
  readonly location: string | null
  /** Text between tags, white space as one. */
  readonly words: string
  readonly title: string
  /** The form that leads to a path beginning so; without it the only one. */
  form(action?: string): Form
}

interface Form {
  readonly action: string
  /** What the browser would send, button left out. */
  readonly fields: readonly (readonly [string, string])[]
}

type Fields = Readonly<Record<string, string | readonly string[]>>

/** Somebody with a browser: cookies are kept, redirects are not followed, forms are filled in and sent. */
export interface Person {
  readonly cookies: Map<string, string>
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Shown>
  post(path: string, fields: Fields, headers?: Readonly<Record<string, string>>): Promise<Shown>
  /** `fields` replace those of the form. */
  submit(page: Shown, fields: Fields, action?: string): Promise<Shown>
  /** Goes where the answer leads, on this origin. */
  follow(answer: Shown): Promise<Shown>
}

export function aPerson(origin: string, always: Readonly<Record<string, string>> = {}): Person {
  const cookies = new Map<string, string>()
  const ask = async (path: string, init: RequestInit): Promise<Shown> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(new URL(path, origin), {
      ...init,
      redirect: 'manual',
      headers: { ...always, ...(cookie !== '' && { cookie }), ...(init.headers as Record<string, string>) },
    })
    for (const line of answer.headers.getSetCookie()) keep(cookies, line)
    return shown(answer, await answer.text())
  }
  const post: Person['post'] = (path, fields, headers = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams(pairsOf(fields)).toString(),
    })
  const get: Person['get'] = (path, headers = {}) => ask(path, { headers })
  return {
    cookies,
    get,
    post,
    submit: (page, fields, action) => {
      const form = page.form(action)
      const kept = form.fields.filter(([name]) => !(name in fields))
      const all = new Map<string, string[]>()
      for (const [name, value] of [...kept, ...pairsOf(fields)]) all.set(name, [...(all.get(name) ?? []), value])
      return post(form.action, Object.fromEntries(all))
    },
    follow: (answer) => {
      if (answer.location === null) throw new Error(`no redirect: ${answer.status} ${answer.words}`)
      return get(answer.location)
    },
  }
}

const pairsOf = (fields: Fields): [string, string][] =>
  Object.entries(fields).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]))

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = ''] = line.split(';')
  const name = pair.slice(0, pair.indexOf('='))
  if (/; Max-Age=0(;|$)/.test(line)) cookies.delete(name)
  else cookies.set(name, pair.slice(name.length + 1))
}

function shown(answer: Response, text: string): Shown {
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    location: answer.headers.get('location'),
    words: plain(text.replaceAll(/<(style|title)>[^<]*<\/\1>/g, '')),
    title: plain(/<title>([^<]*)/.exec(text)?.[1] ?? ''),
    form: (action = '') => {
      const forms = [...text.matchAll(/<form [^>]*action="([^"]*)"[^>]*>([^]*?)<\/form>/g)]
      const found = forms.filter(([, to = '']) => decoded(to).startsWith(action))
      const [first, ...more] = found
      if (first === undefined || more.length > 0) throw new Error(`${found.length} forms lead to "${action}"`)
      return { action: decoded(first[1] ?? ''), fields: fieldsIn(first[2] ?? '') }
    },
  }
}

function fieldsIn(markup: string): (readonly [string, string])[] {
  return [...markup.matchAll(/<input([^>]*)>/g)].flatMap(([, attributes = '']): (readonly [string, string])[] => {
    const attribute = (name: string) => new RegExp(`\\s${name}="([^"]*)"`).exec(attributes)?.[1] ?? null
    const type = attribute('type')
    const off = (type === 'checkbox' || type === 'radio') && !/\schecked/.test(attributes)
    return off ? [] : [[decoded(attribute('name') ?? ''), decoded(attribute('value') ?? '')]]
  })
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' }

const decoded = (text: string): string =>
  text.replaceAll(/&([a-z]+|#[0-9]+);/g, (_, name: string) => entities[name] ?? '')

const plain = (text: string): string =>
  decoded(text.replaceAll(/<[^>]*>/g, ' '))
    .replaceAll(/\s+/g, ' ')
    .trim()
