import { readFileSync } from 'node:fs'

/** Version of this package, from its manifest. */
export const version: string = versionOf(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))

function versionOf(manifest: string): string {
  const found = /"version": "([^"]+)"/.exec(manifest)?.[1]
  if (found === undefined) throw new Error('the manifest of the server has no version')
  return found
}
