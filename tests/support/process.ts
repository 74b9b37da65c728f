import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePorts } from './ports.ts'
import { callApi, managementKey, type ApiCall } from './server.ts'
import { until } from './until.ts'

/** The server in a process of its own, so that it can be killed, signalled and read like an operator does. */
export interface ServerProcess {
  readonly folder: string
  readonly gatewayPort: number
  readonly console: string
  readonly ops: string
  readonly pid: number
  /** Everything that it wrote to standard output and standard error. */
  output(): string
  /** Writes postern.yaml; `yaml` is everything below the listeners. */
  configure(yaml: string): void
  readonly api: ApiCall
  signal(name: NodeJS.Signals): void
  /** Its exit code once it has ended; null where a signal ended it. */
  readonly exited: Promise<number | null>
  /** Ends the process with SIGTERM; `folder` stays. */
  stop(): Promise<void>
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
  remove(): void
}

export interface ProcessOptions {
  readonly yaml: string
  readonly folder?: string
  readonly ports?: readonly number[]
  readonly store?: string
  /** Without it a first management key is made by the server. */
  readonly withKey?: boolean
  readonly listen?: string
  /** Arguments of Node, the program last, instead of the product's own start. It has to say that it is ready too. */
  readonly program?: readonly string[]
}

export async function startServerProcess(options: ProcessOptions): Promise<ServerProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'postern-process-'))
  const [gateway = 0, console = 0, ops = 0] = options.ports ?? (await freePorts(3))
  const file = join(folder, 'postern.yaml')
  const configure = (yaml: string): void =>
    writeFileSync(
      file,
      [
        'version: 1',
        'brand: acme',
        `listen: {gateway: "127.0.0.1:${gateway}", console: "127.0.0.1:${console}", ops: "127.0.0.1:${ops}"${options.listen ?? ''}}`,
        `public_url: http://127.0.0.1:${console}`,
        'data: ./data',
        'keys: ./keys',
        `store: {url: ${JSON.stringify(options.store ?? 'sqlite')}}`,
        yaml,
      ].join('\n'),
    )
  configure(options.yaml)
  const env = { ...process.env, ...(options.withKey !== false && { POSTERN_MANAGEMENT_KEY: managementKey }) }
  const child = spawn(process.execPath, [...(options.program ?? [join(import.meta.dirname, 'serve.ts')]), file], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => written.push(text))
  let gone = false
  const exited = new Promise<number | null>((resolve) =>
    child.once('exit', (code) => {
      gone = true
      resolve(code)
    }),
  )
  const output = (): string => written.join('')
  await until(
    `the server has started: ${output()}`,
    () => {
      if (gone) throw new Error(`the server ended at once:\n${output()}`)
      return output().includes('"ready":true')
    },
    30_000,
  )
  const end = async (name: NodeJS.Signals): Promise<void> => {
    if (!gone) child.kill(name)
    await exited
  }
  const base = `http://127.0.0.1:${console}`
  return {
    folder,
    gatewayPort: gateway,
    console: base,
    ops: `http://127.0.0.1:${ops}`,
    pid: child.pid ?? 0,
    output,
    configure,
    api: callApi(base),
    signal: (name) => void child.kill(name),
    exited,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
