import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Io } from '../io.ts'
import { exit, Stop, wrongUsage } from '../stop.ts'

/** Data folders below the working directory, in the order in which they are looked at. */
const dataFolders = ['data', join('.postern', 'data')]
const managementKeyFile = 'management.key'
const defaultUrl = 'http://127.0.0.1:8081'

export interface Connection {
  readonly url: URL
  readonly key: string
}

/** Where the management API is and the credential for it: from the environment, else from a data folder here. */
export function findConnection(io: Io, options: { readonly plainHttp: boolean }): Connection {
  return { url: findUrl(io, options.plainHttp), key: findKey(io) }
}

function findUrl(io: Io, plainHttp: boolean): URL {
  const text = io.env['POSTERN_URL'] ?? defaultUrl
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw wrongUsage(
      'POSTERN_URL is not a URL that can be used',
      'It is the address of the console, http or https, without user and password.',
      `export POSTERN_URL=${defaultUrl}`,
    )
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !plainHttp) {
    throw wrongUsage(
      'The management key is not sent over plain HTTP to another machine',
      `${url.host} is not this machine, and everyone between here and there could read the key.`,
      `export POSTERN_URL=https://${url.host}   (or --plain-http inside a network that you trust)`,
    )
  }
  return url
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.[0-9.]+$/.test(host)
}

function findKey(io: Io): string {
  const given = io.env['POSTERN_MANAGEMENT_KEY']
  if (given !== undefined && given !== '') return given
  for (const folder of dataFolders) {
    const file = join(io.cwd, folder, managementKeyFile)
    if (existsSync(file)) return readKeyFile(file)
  }
  throw new Stop(exit.notAllowed, {
    what: 'No management key was found',
    why: `POSTERN_MANAGEMENT_KEY is not set, and neither ./${dataFolders.join(' nor ./')} holds one.`,
    next: 'export POSTERN_MANAGEMENT_KEY=…   (or run this where the server keeps its data folder)',
  })
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Stop(
      exit.notAllowed,
      {
        what: `The management key in ${file} cannot be read`,
        why: 'The file belongs to the user that runs the server.',
        next: 'Run this as that user, or export POSTERN_MANAGEMENT_KEY=…',
      },
      { cause: error },
    )
  }
}
