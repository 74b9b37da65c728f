import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { parse } from 'yaml'

import type { Io } from '../io.ts'

/** What the postern.yaml of the working directory says of its server; null where it does not say. */
export interface Declared {
  readonly consoleUrl: string | null
  readonly dataFolder: string | null
}

/**
 * Reads no more than where the server is to be found. A file that is not good counts as absent here: a server with an
 * earlier version of it may still run, and `config check` is what tells its errors.
 */
export function declaredHere({ cwd, env }: Io): Declared {
  const file = join(cwd, 'postern.yaml')
  const root = existsSync(file) ? mapIn(readFileSync(file, 'utf8')) : {}
  const listen = isMap(root['listen']) ? root['listen'] : {}
  const data = textOf(root['data'], env)
  const address = textOf(listen['console'], env)
  return {
    consoleUrl: isTlsConsole(listen['tls'])
      ? (secureUrl(textOf(root['public_url'], env)) ?? urlOf('https', address))
      : urlOf('http', address),
    dataFolder: data === null ? null : resolve(cwd, data),
  }
}

function isTlsConsole(tls: unknown): boolean {
  if (!isMap(tls)) return false
  const { listeners } = tls
  return !Array.isArray(listeners) || listeners.includes('console')
}

/** The public one, where it is encrypted: its name is the one that the certificate says. */
function secureUrl(text: string | null): string | null {
  return text !== null && URL.parse(text)?.protocol === 'https:' ? text : null
}

function mapIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const root: unknown = parse(text, { logLevel: 'silent' })
    return isMap(root) ? root : {}
  } catch {
    return {}
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The text with its variables; null where one of them is not set. */
function textOf(value: unknown, env: Io['env']): string | null {
  if (typeof value !== 'string') return null
  const names = [...value.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].map(([, name = '']) => name)
  if (names.some((name) => env[name] === undefined)) return null
  return value.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => env[name] ?? '')
}

/** `127.0.0.1:8081` as a URL; where all addresses are listened on, this machine's own. */
function urlOf(scheme: 'http' | 'https', address: string | null): string | null {
  const match = address === null ? null : /^(.*):([1-9][0-9]*)$/.exec(address)
  if (match === null) return null
  const [, host = '', port = ''] = match
  const own = host === '0.0.0.0' || host === '[::]' || host === '*' || host === '' ? '127.0.0.1' : host
  return URL.canParse(`${scheme}://${own}:${port}`) ? `${scheme}://${own}:${port}` : null
}
