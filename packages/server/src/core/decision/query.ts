/** Query strings as raw text, with or without the leading `?`. */

/** Decoded values of every parameter with that name; a value that cannot be decoded is taken as it is. */
export function queryValues(query: string, name: string): string[] {
  return parameters(query)
    .filter((parameter) => parameterName(parameter) === name)
    .map((parameter) => decoded(parameter.includes('=') ? parameter.slice(parameter.indexOf('=') + 1) : ''))
}

/**
 * The query without the parameters of that name; all other bytes as they were. A `?` goes with the last of them. Some
 * upstreams take `;` for `&`, so what they would find behind it goes too.
 */
export function withoutParameter(query: string, name: string): string {
  if (!query.includes(name) && !/[%+]/.test(query)) return query
  const start = query.startsWith('?') ? '?' : ''
  // Parameter, separator, parameter, …
  const all = query.slice(start.length).split(/([&;])/)
  const kept = all.filter((_, i) => parameterName(all[i + (i % 2)] ?? '') !== name)
  if (kept.length === all.length) return query
  // Before the first one that is kept stands no separator.
  const text = (kept[0] === '&' || kept[0] === ';' ? kept.slice(1) : kept).join('')
  return text === '' ? '' : start + text
}

function parameters(query: string): string[] {
  const text = query.startsWith('?') ? query.slice(1) : query
  return text === '' ? [] : text.split('&')
}

function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=')
  return decoded(equals === -1 ? parameter : parameter.slice(0, equals))
}

function decoded(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
