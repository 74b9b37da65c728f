/**
 * A reader of HTTP/1.1 by the letter of RFC 9112, made to judge the gateway: it shares no code with it, repairs
 * nothing, and where a text could be read in two ways it has no reading. One character is one byte (latin1).
 */

/** Name and value of a field line, the value without the white space around it. */
export type Line = readonly [name: string, value: string]

/** What stands at a place of a text: a value and where the next thing begins, not all of it yet, or a fault. */
export type Read<Value> =
  | { readonly kind: 'read'; readonly value: Value; readonly end: number }
  | { readonly kind: 'incomplete' }
  | Malformed

export interface Malformed {
  readonly kind: 'malformed'
  readonly why: string
}

export const incomplete = { kind: 'incomplete' } as const

export function read<Value>(value: Value, end: number): Read<Value> {
  return { kind: 'read', value, end }
}

export function malformed(why: string): Malformed {
  return { kind: 'malformed', why }
}

/** One line that ends with CRLF, without it. A CR or LF by itself is a fault (section 2.2). */
export function readLine(text: string, at: number): Read<string> {
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === lf) return malformed('a line feed without a carriage return')
    if (code !== cr) continue
    if (i + 1 === text.length) return incomplete
    if (text.charCodeAt(i + 1) !== lf) return malformed('a carriage return without a line feed')
    return read(text.slice(at, i), i + 2)
  }
  return incomplete
}

/** Field lines up to and with the empty line after them (section 5; of trailers section 7.1.2). */
export function readLines(text: string, start: number): Read<readonly Line[]> {
  const lines: Line[] = []
  for (let at = start; ;) {
    const line = readLine(text, at)
    if (line.kind !== 'read') return line
    if (line.value === '') return read(lines, line.end)
    const parts = fieldLine.exec(line.value)
    if (parts === null) return malformed(`a field line that is none: ${JSON.stringify(line.value.slice(0, 80))}`)
    const [, name = '', value = ''] = parts
    lines.push([name, value.replace(/[ \t]+$/, '')])
    at = line.end
  }
}

/** Values of all lines of that name (lower case), in order. */
export function valuesOf(lines: readonly Line[], name: string): readonly string[] {
  return lines.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value)
}

/** field-name ":" OWS field-value; visible characters, SP, HTAB and obs-text (RFC 9110, section 5.5). */
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)$/
const cr = 0x0d
const lf = 0x0a
