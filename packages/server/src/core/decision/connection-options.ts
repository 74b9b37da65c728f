/** Lower case, with `-` for all that is no letter or digit: some upstreams (CGI and its kin) cannot tell these apart. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll(/[^0-9a-z]/g, '-')
}

/**
 * Normal names of the header lines that `Connection` names: they go no further (RFC 9110, section 7.6.1). Null where
 * it says nothing beyond how long the connection lives.
 */
export function nominatedBy(lines: readonly string[]): ReadonlySet<string> | null {
  let names: Set<string> | null = null
  for (let i = 0; i < lines.length; i += 2) {
    const name = lines[i] ?? ''
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue
    const value = lines[i + 1] ?? ''
    if (value === 'keep-alive' || value === 'close') continue
    for (const option of value.split(',')) {
      const normal = normalName(option.trim())
      // The length of a body is of the message; without it the body would be framed anew.
      if (normal === '' || normal === 'keep-alive' || normal === 'close' || normal === 'content-length') continue
      names ??= new Set()
      names.add(normal)
    }
  }
  return names
}

/** The lines that go on: what is judged must not be another request than the one that the upstream gets. */
export function endToEnd(lines: readonly string[]): readonly string[] {
  const nominated = nominatedBy(lines)
  return nominated === null ? lines : lines.filter((_, i) => !nominated.has(normalName(lines[i - (i % 2)] ?? '')))
}
