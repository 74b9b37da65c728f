import { readFileSync } from 'node:fs'

/** Version of this package, from its manifest. */
export const version: string = versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

function versionOf(manifest: string): string {
  const { version: text }: { version?: unknown } = JSON.parse(manifest) as Record<string, unknown>
  if (typeof text !== 'string') throw new Error('the manifest of the server has no version')
  return text
}
