import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { end } from './processes.ts'

export interface StreamReport {
  /** Those that are not over: what was handed to the system for it, and the gateway's port. */
  readonly downloads: Readonly<Record<string, { readonly bytes: number; readonly port: number }>>
}

export interface StreamUpstream {
  report(): Promise<StreamReport>
  /** Lets every event stream say something. */
  sayEvent(): Promise<void>
  stop(): Promise<void>
}

export async function startStreamUpstream(port: number, downloadBytes: number): Promise<StreamUpstream> {
  const program = join(import.meta.dirname, 'stream-upstream-process.ts')
  const child = fork(program, [String(port), String(downloadBytes)])
  await once(child, 'message')
  const ask = async (message: string): Promise<StreamReport> => {
    child.send(message)
    return await reportOf(child)
  }
  return {
    report: () => ask('report'),
    sayEvent: async () => void (await ask('event')),
    stop: () => end(child),
  }
}

async function reportOf(child: ChildProcess): Promise<StreamReport> {
  const [report] = await once(child, 'message')
  return report
}
