import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import type { Certificate, Socket } from '@postern/server'

import { demoFolder } from '../demo/ports.ts'
import type { Io } from '../io.ts'

/** What is set up in the working directory. */
export interface Installation {
  readonly data: string
  readonly keys: string
  /** Where postern.yaml says to listen; null for the demonstration, whose ports are chosen at each start. */
  readonly sockets: readonly Socket[] | null
  /** Those of listen.tls. */
  readonly certificates: readonly Pick<Certificate, 'file' | 'expiresAt'>[]
}

/** Null where there is neither a good postern.yaml nor a demonstration. */
export async function installationHere({ cwd, env }: Io): Promise<Installation | null> {
  const path = resolve(cwd, 'postern.yaml')
  if (!existsSync(path)) {
    const folder = join(cwd, demoFolder)
    return existsSync(folder)
      ? { data: join(folder, 'data'), keys: join(folder, 'keys'), sockets: null, certificates: [] }
      : null
  }
  const { loadConfig, socketsOf } = await import('@postern/server')
  const loaded = loadConfig({ path, env })
  if (!loaded.ok) return null
  const { data, keys, listen } = loaded.value
  return { data, keys, sockets: socketsOf(loaded.value), certificates: listen.tls?.certificates ?? [] }
}

/** Where the server that runs on a data folder listens; null: none runs. */
export function servedAddresses(data: string): readonly string[] | null {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(data, 'lock.json'), 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('pid' in owner)) return null
    if (!isAlive(Number(owner.pid))) return null
    return 'addresses' in owner && Array.isArray(owner.addresses) ? owner.addresses.map(String) : []
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
