import type { Io } from '../io.ts'
import { wrongUsage } from '../stop.ts'

/**
 * Splits a line at its words as a shell would, and runs nothing. Variables are put in everywhere, also between single
 * quotes: so a line that the shell at hand must leave alone can still name them.
 */
export function shellWords(line: string, env: Io['env']): readonly string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i)
    if (quote === null && /\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
      continue
    }
    if (quote !== "'" && line.startsWith('\\\n', i)) {
      i++
      continue
    }
    word ??= ''
    if (char === quote) quote = null
    else if (quote === null && (char === '"' || char === "'")) quote = char
    else if (char === '\\' && quote !== "'") {
      const next = line.charAt(++i)
      word += quote === '"' && !/["\\$`]/.test(next) ? `\\${next}` : next
    } else if (char === '$') {
      const name = /^\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/.exec(line.slice(i))
      if (name === null) word += char
      else {
        word += valueOf(name[1] ?? name[2] ?? '', env)
        i += name[0].length - 1
      }
    } else word += char
  }
  if (quote !== null)
    throw wrongUsage('The line is not complete', `A ${quote} is not closed.`, 'Paste the line in full.')
  if (word !== null) words.push(word)
  return words
}

function valueOf(name: string, env: Io['env']): string {
  const value = env[name]
  if (value !== undefined) return value
  throw wrongUsage(`The variable ${name} is not set`, 'The line refers to it.', `export ${name}=…`)
}
