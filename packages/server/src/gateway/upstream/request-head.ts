/** Bytes of a request's body; `chunked`: known at its end only; null: it has none (RFC 9112, section 6). */
export type RequestLength = number | 'chunked' | null

/** The head of a request. `lines` are names and values in turns, one character a byte, and plain (`isPlainValue`). */
export function requestHead(
  method: string,
  path: string,
  authority: string,
  lines: readonly string[],
  length: RequestLength,
): string {
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${authority}\r\n`
  for (let i = 0; i < lines.length; i += 2) head += `${lines[i]}: ${lines[i + 1]}\r\n`
  if (length === 'chunked') return `${head}Transfer-Encoding: chunked\r\n\r\n`
  return length === null ? `${head}\r\n` : `${head}Content-Length: ${length}\r\n\r\n`
}

/**
 * Whether a value can stand in a header line. What a client sent has been looked at by its parser. Anything else must
 * be: a character beyond one byte would be cut to its lower half, which may be the end of the line.
 */
export function isPlainValue(value: string): boolean {
  return !/[^\t\x20-\x7e\x80-\xff]/.test(value)
}
