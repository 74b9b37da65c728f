/** Paths that somebody, somewhere, reads as another path: prefixes, tricks and tails in every combination. */
export function pathCorpus(): readonly string[] {
  const paths = new Set<string>()
  for (const before of ['', '/v1', '/v1/orders', '/%61', '/v1/%7Eme'])
    for (const trick of tricks)
      for (const after of ['/admin/x', '/admin', '/x', '']) paths.add(`${before}${trick}${after}`)
  for (const spelling of adminSpellings) for (const after of ['', '/', '/x', '?x=1']) paths.add(`${spelling}${after}`)
  return [...paths].filter((path) => path.startsWith('/'))
}

const tricks = [
  '',
  '/',
  '/.',
  '/..',
  '/../..',
  '/./..',
  '/%2e',
  '/%2e%2e',
  '/.%2e',
  '/%2E.',
  '/%252e%252e',
  '/...',
  '/..;',
  '/..;x=y',
  '/;',
  '/;/..',
  '/x;y',
  '//',
  '///',
  '/%2f',
  '/%2F..',
  '/..%2f',
  '/%2e%2e%2f',
  '/%5c',
  '/..%5c',
  '/\\',
  '/..\\',
  '/%00',
  '/%0d%0a',
  '/%09',
  '/%20',
  '/..%00',
  '/%c0%ae%c0%ae',
  '/%c0%af',
  '/%e0%80%ae',
  '/%ef%bc%8f',
  '/%uff0e',
  '/%',
  '/%2',
  '/%zz',
  '/~',
  '/*',
] as const

const adminSpellings = [
  '/admin',
  '/Admin',
  '/ADMIN',
  '/%61dmin',
  '/a%64min',
  '/%61%64%6d%69%6e',
  '/%2561dmin',
  '/admin%20',
  '/admin.',
  '/admin;',
  '/admin%2f',
  '/admin%00',
  '/adm%69n',
  '//admin',
  '/./admin',
  '/x/../admin',
  '/admin/.',
  '/admin/..',
  '/admin/../admin',
] as const

/**
 * Whether a generous upstream would find `prefix` there: one that decodes, twice if need be, takes a backslash for a
 * slash, drops what is behind a semicolon, folds slashes and resolves dots.
 */
export function reaches(target: string, prefix: string): boolean {
  const [path = ''] = target.split('?')
  return [0, 1].some((rounds) =>
    [true, false].some((params) => resolved(path, rounds, params).startsWith(`${prefix}/`)),
  )
}

function resolved(path: string, rounds: number, dropParameters: boolean): string {
  let text = path
  for (let i = 0; i <= rounds; i++) text = decoded(text)
  text = text.replaceAll('\\', '/')
  if (dropParameters) text = text.replaceAll(/;[^/]*/g, '')
  const out: string[] = []
  for (const part of text.split('/')) {
    if (part === '..') out.pop()
    else if (part !== '' && part !== '.') out.push(part)
  }
  return `/${out.join('/')}/`
}

/** Overlong forms as careless decoders read them. */
function decoded(text: string): string {
  return text
    .replaceAll(/%c0%ae|%e0%80%ae/gi, '.')
    .replaceAll(/%c0%af/gi, '/')
    .replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
