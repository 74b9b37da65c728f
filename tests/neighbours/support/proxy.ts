import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePorts } from '../../support/ports.ts'
import { until } from '../../support/until.ts'

/** A proxy of the system's packages, running with a configuration of this repository. */
export interface Proxy {
  readonly port: number
  /** Everything that it wrote to its log. */
  output(): string
  stop(): Promise<void>
}

interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/** How to start one, in a folder that holds the examples with the ports of this test in them. */
export type StartCommand = (folder: string) => Command

const examples = join(import.meta.dirname, '../../../examples/forward-auth')

/**
 * Runs the example itself: only the three documented addresses in it are replaced, where the proxy listens (8000),
 * the API (127.0.0.1:3000) and Postern (127.0.0.1:8082), and the folder in /etc where its second file lies.
 */
export async function startProxy(
  start: StartCommand,
  addresses: { readonly api: number; readonly postern: number },
): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-neighbour-'))
  const [port = 0] = await freePorts(1)
  cpSync(examples, folder, { recursive: true })
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    const text = readFileSync(file, 'utf8')
      .replaceAll('127.0.0.1:3000', `127.0.0.1:${addresses.api}`)
      .replaceAll('127.0.0.1:8082', `127.0.0.1:${addresses.postern}`)
      .replaceAll(/\b8000\b/g, String(port))
      .replaceAll(/\/etc\/(haproxy|apache2\/postern)\//g, `${folder}/`)
    writeFileSync(file, text)
  }
  return await runProxy(start(folder), folder, port)
}

/** Resolves once it accepts connections on the port; its folder goes with it. */
export async function runProxy({ command, args }: Command, folder: string, port: number): Promise<Proxy> {
  const child = spawn(command, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder },
  })
  const written: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.push(text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => written.push(text))
  let gone = false
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      gone = true
      resolve()
    }),
  )
  const stop = async (): Promise<void> => {
    if (!gone) child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  child.once('error', (error) => {
    written.push(String(error))
    gone = true
  })
  await until(
    `${command} listens`,
    async () => {
      if (gone) throw new Error(`${command} ended at once:\n${written.join('')}`)
      return await accepts(port)
    },
    20_000,
  )
  return { port, output: () => written.join(''), stop }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
