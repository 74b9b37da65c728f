import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Test files of pages in a real browser; none where there is no Chromium, which is said. */
export function browserTests(): string[] {
  if (findChromium() !== null) return ['tests/browser/**/*.test.ts']
  console.log('tests/browser: not installed, so not run: chromium')
  return []
}

export function findChromium(): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']
  const paths = folders.flatMap((folder) => [join(folder, 'chromium'), join(folder, 'chromium-browser')])
  return paths.find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
