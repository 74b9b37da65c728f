/** Header lines are name, value, name, value, … as received; `name` is lower-case. */

export function headerValues(lines: readonly string[], name: string): string[] {
  const values: string[] = []
  for (let i = 0; i < lines.length; i += 2) {
    if (isName(lines[i] ?? '', name)) values.push(lines[i + 1] ?? '')
  }
  return values
}

/** The first value, or null. */
export function headerValue(lines: readonly string[], name: string): string | null {
  const at = headerIndex(lines, name)
  return at === -1 ? null : (lines[at + 1] ?? '')
}

/** Where the first line of that name stands, from `from` on; -1 where there is none. */
export function headerIndex(lines: readonly string[], name: string, from = 0): number {
  for (let i = from; i < lines.length; i += 2) if (isName(lines[i] ?? '', name)) return i
  return -1
}

/** Whether the head announces a body (RFC 9112, section 6). */
export function announcesBody(lines: readonly string[]): boolean {
  const length = headerValue(lines, 'content-length')
  return (length !== null && length !== '0') || headerValue(lines, 'transfer-encoding') !== null
}

/** Whether it is that name in whatever case. Letter by letter, because a lower-case copy would have to be made of it. */
export function isName(received: string, name: string): boolean {
  if (received.length !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    const code = received.charCodeAt(i)
    if ((code >= 0x41 && code <= 0x5a ? code | 0x20 : code) !== name.charCodeAt(i)) return false
  }
  return true
}
