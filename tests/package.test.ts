import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { freePorts } from './support/ports.ts'
import { request } from './support/raw.ts'
import { until } from './support/until.ts'

const repository = resolve(import.meta.dirname, '..')
const { POSTERN_URL: _url, POSTERN_MANAGEMENT_KEY: _key, ...outer } = process.env
/** The Node that runs this test is the first on the path; nothing else of the repository is. */
const env = { ...outer, PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin` }

let folder: string
let command: string

/**
 * The tarball, unpacked as npm does it into a folder of its own. Its dependencies are links to those of the
 * repository, the declared ones alone, so that one that is missing in the manifest is missing here.
 */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-package-'))
  const tarball = execFileSync(process.execPath, [join(repository, 'tools/package.ts'), '--out', folder], {
    encoding: 'utf8',
  }).trim()
  const modules = join(folder, 'lib/node_modules')
  const installed = join(modules, 'postern')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1'])
  const { dependencies, bin } = manifest()
  for (const name of Object.keys(dependencies).filter((each) => !each.startsWith('@postern/'))) {
    const link = join(modules, name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(moduleFolder(name), link)
  }
  command = join(folder, 'postern')
  symlinkSync(join(installed, bin.postern), command)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly bin: { readonly postern: string }
}

function manifest(path = join(folder, 'lib/node_modules/postern/package.json')): Manifest {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** npm puts a package beside the workspace that wants it where another version is at the top. */
function moduleFolder(name: string): string {
  const places = ['packages/cli', 'packages/server', 'packages/contract', '.'].map((place) =>
    join(repository, place, 'node_modules', name),
  )
  const wanted = manifest().dependencies[name]
  const found = places.find((place) => {
    try {
      return manifest(join(place, 'package.json')).version === wanted
    } catch {
      return false
    }
  })
  if (found === undefined) throw new Error(`${name} ${wanted ?? ''} is not installed`)
  return found
}

const run = (cwd: string, ...args: readonly string[]) =>
  execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

describe('the package of the command line, installed elsewhere', () => {
  it('holds what runs: no TypeScript, no test, no word of npx', () => {
    const files = readdirSync(join(folder, 'lib/node_modules/postern'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => /\.ts$|test|testing|conformance/.test(file))).toEqual([])
    expect(files.filter((file) => file.endsWith('.js')).length).toBeGreaterThan(300)
    expect(files).toEqual(
      expect.arrayContaining([
        'node_modules/@postern/server/src/store/sqlite/writer-worker.js',
        'LICENSE',
        'README.md',
      ]),
    )
    expect(run(folder, '--help')).not.toContain('npx')
  })

  it('is the same each time that it is made', () => {
    const again = mkdtempSync(join(tmpdir(), 'postern-package-'))
    onTestFinished(() => rmSync(again, { recursive: true, force: true }))
    const tarball = execFileSync(process.execPath, [join(repository, 'tools/package.ts'), '--out', again], {
      encoding: 'utf8',
    }).trim()
    const name = `postern-${manifest().version}.tgz`
    expect(readFileSync(tarball).equals(readFileSync(join(folder, name)))).toBe(true)
  }, 120_000)

  it('says its version, writes a configuration, checks it and serves by it', async () => {
    const home = mkdtempSync(join(folder, 'home-'))
    expect(run(home, '--version').trim()).toBe(manifest().version)
    run(home, 'init')
    expect(run(home, 'config', 'check')).toContain('postern.yaml is good: 1 API, 3 routes, 2 plans')
    const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
    const file = join(home, 'postern.yaml')
    const text = readFileSync(file, 'utf8')
    const moved = [8080, 8081, 8082].reduce(
      (all, port, i) => all.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${[gateway, console, ops][i] ?? 0}`),
      text,
    )
    writeFileSync(file, moved)
    const server = spawn(command, ['start'], { cwd: home, env, stdio: ['ignore', 'ignore', 'pipe'] })
    onTestFinished(() => void server.kill('SIGKILL'))
    const told: string[] = []
    server.stderr.setEncoding('utf8').on('data', (part: string) => told.push(part))
    const exited = new Promise((done) => server.once('exit', done))
    await until(
      'it is ready',
      async () => (await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => null))?.status === 200,
      30_000,
    )
    // Store, worker threads and the reference page with its assets.
    const created = JSON.parse(
      run(home, '--json', 'account', 'create', '--name', 'Acme', '--plan', 'pro', '--show-secret'),
    )
    expect(created.account.id).toMatch(/^acc/)
    expect((await fetch(`http://127.0.0.1:${console}/api/docs/static/index.html`)).status).toBe(200)
    expect((await request(gateway, { target: '/v1/orders', host: 'localhost' })).status).toBe(401)
    server.kill('SIGTERM')
    expect(await exited).toBe(0)
    expect(told.join('')).toContain('"event":"server.stopped"')
  }, 60_000)

  it('runs the demonstration', async () => {
    const home = mkdtempSync(join(folder, 'demo-'))
    const base = 13_000 + (process.pid % 180) * 100
    const demo = spawn(command, ['dev', '--port-base', String(base)], {
      cwd: home,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void demo.kill('SIGKILL'))
    let printed = ''
    demo.stdout.setEncoding('utf8').on('data', (part: string) => (printed += part))
    await until('it has printed what to paste', () => printed.includes('postern key rotate'), 30_000)
    expect(printed).not.toContain('npx')
    expect((await fetch(`http://127.0.0.1:${base + 1}/v1/data`)).status).toBe(401)
    const exited = new Promise((done) => demo.once('exit', done))
    demo.kill('SIGTERM')
    expect(await exited).toBe(0)
  }, 60_000)

  it('tells an older Node what it needs', () => {
    const launcher = readFileSync(join(folder, 'lib/node_modules/postern/bin/postern.js'), 'utf8')
    const old = launcher.replace('process.versions.node.split', "'20.20.2'.split")
    const file = join(folder, 'lib/node_modules/postern/bin/old.js')
    writeFileSync(file, old)
    const answer = (() => {
      try {
        return execFileSync(process.execPath, [file, '--version'], { encoding: 'utf8', stdio: 'pipe' })
      } catch (error) {
        return (error as { readonly stderr: string }).stderr
      }
    })()
    expect(answer).toContain('Postern needs Node 24.11 or newer')
  })
})
