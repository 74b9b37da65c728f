import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Raises the limit of open files of this process and of what it starts as far as it may be raised; answers it. */
export function raiseOpenFiles(wanted: number): number {
  if (openFilesMax() >= wanted) return openFilesMax()
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], { stdio: 'ignore' })
  } catch {
    // Not allowed or not installed: Node has already raised it to what any program may have.
  }
  return openFilesMax()
}

function openFilesMax(): number {
  const line = readFileSync('/proc/self/limits', 'utf8')
    .split('\n')
    .find((text) => text.startsWith('Max open files'))
  const [, , , soft = '0'] = line?.split(/\s+/) ?? []
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft)
}
