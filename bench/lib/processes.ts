import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program of this folder as a process of its own, once it has said that it is ready. */
export async function startReady(program: string, args: readonly string[]): Promise<ChildProcess> {
  return (await startSaying(program, args)).child
}

/** The same, with the line of JSON that it said. */
export async function startSaying(
  program: string,
  args: readonly string[],
): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit').then(([code]): never => {
    throw new Error(`${program} ended with code ${String(code)}`)
  })
  const [said] = await Promise.race([once(child.stdout, 'data'), exited])
  // Its end is no fault any more.
  exited.catch(() => {})
  return { child, said: String(said) }
}

export async function end(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

export interface Cpu {
  /** All threads, in microseconds. */
  readonly all: number
  /** The thread that serves. */
  readonly main: number
}

export function cpuOf(pid: number): Cpu {
  const folder = `/proc/${pid}/task`
  const used = (thread: string) => Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1000
  return { all: readdirSync(folder).reduce((sum, thread) => sum + used(thread), 0), main: used(String(pid)) }
}

/** Keeps a process with all of its threads on one core, where the system has `taskset`. */
export function pin(pid: number, core: number): boolean {
  try {
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
