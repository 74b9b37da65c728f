import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

import type { Tools } from '../tools.ts'
import { finding, note, type Check, type Finding } from './finding.ts'
import { installationHere, servedAddresses } from './installation.ts'

/** Data and key folders, where this is the machine of the server. */
export const checkFolders: Check = async (tools) => {
  const here = await installationHere(tools.io)
  if (here === null) return [note('folders', 'no postern.yaml and no demonstration here: not checked')]
  const folders = [here.data, here.keys]
  const missing = folders.filter((folder) => !existsSync(folder))
  const there = folders.filter((folder) => existsSync(folder))
  return [
    ...missing.map((folder) => note('folders', `${shown(tools, folder)} does not exist yet`)),
    ...there.flatMap((folder) => [...openFolder(tools, folder), openFiles(tools, folder)]),
    ...there.slice(0, 1).flatMap((data) => checkpointAge(tools, data)),
  ]
}

function openFolder(tools: Tools, folder: string): readonly Finding[] {
  const mode = statSync(folder).mode & 0o777
  const name = shown(tools, folder)
  return [finding((mode & 0o022) === 0, 'folder', `${name} has mode ${mode.toString(8)}`, `chmod 700 ${name}`)]
}

/** Every file of keys or data is for its owner alone. */
function openFiles(tools: Tools, folder: string): Finding {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const open = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => modeOf(path, 0o077) && isSecret(path))
  const name = shown(tools, folder)
  const found =
    open.length === 0
      ? `key files in ${name} are for their owner alone`
      : `${open.map((path) => shown(tools, path)).join(', ')} can be read by others`
  return finding(open.length === 0, 'key files', found, `chmod 600 ${open.map((path) => shown(tools, path)).join(' ')}`)
}

function isSecret(path: string): boolean {
  return path.endsWith('management.key') || path.endsWith('demonstration.json') || /[/\\]keys[/\\]/.test(path)
}

function modeOf(path: string, bits: number): boolean {
  try {
    return (statSync(path).mode & bits) !== 0
  } catch {
    // A key whose window has just ended is deleted while we look.
    return false
  }
}

const checkpointAgeMaxMs = 180_000

/** A running server signs the head of its audit log each minute. */
function checkpointAge(tools: Tools, data: string): readonly Finding[] {
  const folder = join(data, 'checkpoints')
  if (!existsSync(folder)) return [note('checkpoint', 'none yet: the server writes one each minute')]
  const files = readdirSync(folder).filter((name) => !name.startsWith('revocations'))
  const newest = Math.max(0, ...files.map((name) => statSync(join(folder, name)).mtimeMs))
  if (newest === 0 || servedAddresses(data) === null) return [note('checkpoint', 'no server runs on this folder')]
  const age = Math.round((tools.io.now() - newest) / 1_000)
  return [
    finding(
      age * 1_000 < checkpointAgeMaxMs,
      'checkpoint',
      `of the audit log: ${age} s old`,
      'Look for faults in the log of the server.',
    ),
  ]
}

function shown({ io }: Tools, path: string): string {
  return relative(io.cwd, path) || path
}
