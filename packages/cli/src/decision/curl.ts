import type { Io } from '../io.ts'
import { wrongUsage } from '../stop.ts'
import { shellWords } from './shell-words.ts'

/** What a curl line would send, as far as a decision looks at it. */
export interface CurlRequest {
  readonly method: string
  readonly url: URL
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** Options of curl that take a value and say nothing about the decision. */
const ignoredWithValue = new Set([
  '-o',
  '--output',
  '-w',
  '--write-out',
  '-m',
  '--max-time',
  '--connect-timeout',
  '--retry',
  '-A',
  '-e',
  '--cacert',
  '--resolve',
])
const bodyOptions = new Set([
  '-d',
  '--data',
  '--data-raw',
  '--data-binary',
  '--data-ascii',
  '--data-urlencode',
  '--json',
])

/** Reads a pasted curl line. `$NAME` stands for a variable of the environment, so that no secret need be in the line. */
export function parseCurl(line: string, env: Io['env']): CurlRequest {
  const [command, ...words] = shellWords(line, env)
  if (command !== 'curl') throw notCurl('It does not begin with the word curl.')
  const headers: [string, string][] = []
  let method: string | null = null
  let target: string | null = null
  let hasBody = false
  for (let i = 0; i < words.length; i++) {
    const [option, inline] = split(words[i] ?? '')
    const value = (): string => inline ?? words[++i] ?? ''
    if (option === '-X' || option === '--request') method = value()
    else if (option === '-H' || option === '--header') headers.push(header(value()))
    else if (option === '-u' || option === '--user')
      headers.push(['authorization', `Basic ${Buffer.from(value()).toString('base64')}`])
    else if (option === '-I' || option === '--head') method ??= 'HEAD'
    else if (option === '-G' || option === '--get') method ??= 'GET'
    else if (option === '--url') target = value()
    else if (bodyOptions.has(option)) hasBody = value() !== '' || hasBody
    else if (ignoredWithValue.has(option)) value()
    else if (!option.startsWith('-')) target ??= option
  }
  const url = URL.parse(target ?? '') ?? URL.parse(`http://${target ?? ''}`)
  if (target === null || url === null) throw notCurl('It has no URL.')
  return { method: method ?? (hasBody ? 'POST' : 'GET'), url, headers }
}

/** `-XPOST` and `--request=POST` carry their value inside of the word. */
function split(word: string): readonly [string, string | undefined] {
  const short = /^(-[XHudowmAe])(.+)$/.exec(word)
  if (short !== null) return [short[1] ?? '', short[2]]
  const long = /^(--[a-z-]+)=(.*)$/.exec(word)
  return long === null ? [word, undefined] : [long[1] ?? '', long[2]]
}

function header(text: string): [string, string] {
  const at = text.indexOf(':')
  if (at < 1) throw notCurl('A header in it has no name or no colon.')
  return [text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim()]
}

function notCurl(why: string): Error {
  return wrongUsage('The line is not a curl line that can be read', why, "npx postern explain --curl - <<'END'")
}
