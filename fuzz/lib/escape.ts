/** Bytes (latin1) as a JavaScript string that can be pasted into a test. */
export function escaped(bytes: string): string {
  const text = bytes.replaceAll(
    /[^\x20-\x7e]|['\\]/g,
    (character) => short.get(character) ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
  return `'${text}'`
}

const short: ReadonlyMap<string, string> = new Map([
  ['\r', '\\r'],
  ['\n', '\\n'],
  ['\t', '\\t'],
  ["'", "\\'"],
  ['\\', '\\\\'],
])
