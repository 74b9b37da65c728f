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
  for (let i = 0; i < lines.length; i += 2) {
    if (isName(lines[i] ?? '', name)) return lines[i + 1] ?? ''
  }
  return null
}

/** Whether the head announces a body (RFC 9112, section 6). */
export function announcesBody(lines: readonly string[]): boolean {
  const length = headerValue(lines, 'content-length')
  return (length !== null && length !== '0') || headerValue(lines, 'transfer-encoding') !== null
}

function isName(received: string, name: string): boolean {
  return received.length === name.length && (received === name || received.toLowerCase() === name)
}
