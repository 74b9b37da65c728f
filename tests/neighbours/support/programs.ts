import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const programs = ['nginx', 'caddy', 'haproxy', 'apache2', 'systemd-analyze'] as const
type Program = (typeof programs)[number]

/** Test files by the program that they run. */
const testsOf: Readonly<Record<Program, readonly string[]>> = {
  nginx: ['nginx', 'deploy-nginx', 'cache-nginx'],
  caddy: ['caddy'],
  haproxy: ['haproxy'],
  apache2: ['apache2'],
  'systemd-analyze': ['deploy-systemd'],
}

/** Apache's script speaks to Postern with LuaSocket, a package of its own. */
const luaSocket = ['5.3', '5.4'].map((version) => `/usr/share/lua/${version}/socket.lua`)

/** Debian's package of a library for JOSE and OAuth in Python. */
const authlib = '/usr/lib/python3/dist-packages/authlib'

/** Test files whose program is installed, and those that need none; says which ones are left out. */
export function neighbourTests(): string[] {
  const missing = programs.filter((program) => findProgram(program) === null)
  const noSocket = !luaSocket.some((file) => existsSync(file))
  const noAuthlib = !existsSync(authlib)
  const left = [
    ...missing,
    ...(noSocket ? ['lua-socket (for apache2)'] : []),
    ...(noAuthlib ? ['python3-authlib'] : []),
  ]
  if (left.length > 0) console.log(`tests/neighbours: not installed, so not run: ${left.join(', ')}`)
  const run = programs.filter((program) => !missing.includes(program) && !(program === 'apache2' && noSocket))
  const files = [...run.flatMap((program) => testsOf[program]), ...(noAuthlib ? [] : ['authlib'])]
  return ['recorded', ...files].map((name) => `tests/neighbours/${name}.test.ts`)
}

/** Where the program is: on PATH, or where Debian puts what only root runs. Null where it is not installed. */
function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/local/sbin']
  const path = folders.map((folder) => join(folder, name)).find(isExecutable)
  return path ?? null
}

export function programPath(name: Program): string {
  const path = findProgram(name)
  if (path === null) throw new Error(`${name} is not installed`)
  return path
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
