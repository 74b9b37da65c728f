/** Bytes of a request's body; `chunked`: known at its end only; null: it has none (RFC 9112, section 6). */
export type RequestLength = number | 'chunked' | null

/** The head of a request. `fields`: its other header lines, each with its CRLF, one character a byte. */
export function requestHead(
  method: string,
  path: string,
  authority: string,
  fields: string,
  length: RequestLength,
): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n${fields}`
  if (length === 'chunked') return `${head}Transfer-Encoding: chunked\r\n\r\n`
  return length === null ? `${head}\r\n` : `${head}Content-Length: ${length}\r\n\r\n`
}

/**
 * Whether a value can stand in a header line. What a client sent has been looked at by its parser. Anything else must
 * be: a character beyond one byte would be cut to its lower half, which may be the end of the line.
 */
function isPlainValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value)
}

/** Lines of our own as fields of a head. Some of what they say is declared or stored: it is looked at. */
export function ownFields(lines: readonly string[]): string {
  let fields = ''
  for (let i = 0; i < lines.length; i += 2) {
    const value = lines[i + 1] ?? ''
    if (!isPlainValue(value)) throw new Error(`the value of ${lines[i]} cannot stand in a header line`)
    fields += `${lines[i]}: ${value}\r\n`
  }
  return fields
}
