import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Io } from '../io.ts'
import { exit, Stop, wrongUsage } from '../stop.ts'
import { declaredHere, type Declared } from './declared.ts'

/** Data folders below the working directory, in the order in which they are looked at, after the declared one. */
const dataFolders = ['data', join('.postern', 'data')]
const managementKeyFile = 'management.key'
const defaultUrl = 'http://127.0.0.1:8081'

export interface Connection {
  readonly url: URL
  readonly key: string
}

/** Where the management API is and the credential for it: from the environment, else from what lies here. */
export function findConnection(io: Io, options: { readonly plainHttp: boolean }): Connection {
  const declared = declaredHere(io)
  const url = findUrl(io, declared, options.plainHttp)
  return { url, key: findKey(io, declared, url) }
}

function findUrl(io: Io, declared: Declared, plainHttp: boolean): URL {
  const text = io.env['POSTERN_URL'] ?? declared.consoleUrl ?? defaultUrl
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

function findKey(io: Io, declared: Declared, url: URL): string {
  const given = io.env['POSTERN_MANAGEMENT_KEY']
  if (given !== undefined && given !== '') return given
  const here = dataFolders.map((folder) => join(io.cwd, folder))
  const folders = [...new Set([...(declared.dataFolder === null ? [] : [declared.dataFolder]), ...here])].filter(
    (folder) => existsSync(join(folder, managementKeyFile)),
  )
  const folder = folders.find((each) => isServedAt(each, url)) ?? folders[0]
  if (folder !== undefined) return readKeyFile(join(folder, managementKeyFile))
  throw new Stop(exit.notAllowed, {
    what: 'No management key was found',
    why: `POSTERN_MANAGEMENT_KEY is not set, and none of ${[declared.dataFolder, ...here].filter((each) => each !== null).join(', ')} holds one.`,
    next: 'export POSTERN_MANAGEMENT_KEY=…   (or run this where the server keeps its data folder)',
  })
}

/** Whether the server that has locked the folder listens there: with two servers here, each has a key of its own. */
function isServedAt(folder: string, url: URL): boolean {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8'))
    if (typeof owner !== 'object' || owner === null || !('addresses' in owner)) return false
    return Array.isArray(owner.addresses) && owner.addresses.includes(url.host)
  } catch {
    return false
  }
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
