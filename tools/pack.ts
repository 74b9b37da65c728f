import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * `npm run pack`: one tarball with everything of Postern as JavaScript, for `npm install -g`. Node runs TypeScript in a
 * clone, but not below `node_modules`. The folders stay as they are here, so that every relative path holds.
 */
const repository = resolve(import.meta.dirname, '..')
const staged = join(repository, 'dist', 'package')
const out = resolve(process.argv[2] ?? join(repository, 'dist'))

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly engines: Readonly<Record<string, string>>
}

/** Also an old Node can read it, so that it can say what is missing. */
const entry = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 11)) {
  console.error('Postern needs Node.js 24.11 or later; this is ' + process.version + '.')
  process.exit(1)
}
await import('./packages/cli/src/main.js')
`

const workspaces = ['contract', 'server', 'cli'] as const
const manifests = new Map(workspaces.map((name) => [name, readManifest(join('packages', name, 'package.json'))]))

rmSync(staged, { recursive: true, force: true })
execFileSync(join(repository, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: repository,
  stdio: 'inherit',
})
for (const file of globSync('**/*.js', { cwd: staged })) writeFileSync(join(staged, file), linked(file))
for (const name of workspaces) writeJson(join('packages', name, 'package.json'), innerManifest(name))
for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', 'SECURITY.md']) copy(file)
for (const file of globSync('examples/**/*', { cwd: repository, withFileTypes: true }))
  if (file.isFile() && !file.name.endsWith('.ts')) copy(relative(repository, join(file.parentPath, file.name)))
for (const folder of ['deploy/docker', 'deploy/systemd']) copy(folder)
writeFileSync(join(staged, 'postern.js'), entry)
writeJson('package.json', outerManifest())
mkdirSync(out, { recursive: true })
execFileSync('npm', ['pack', '--pack-destination', out], { cwd: staged, stdio: ['ignore', 'inherit', 'inherit'] })

/**
 * Names of the other packages become relative paths: there is nothing to be found below `node_modules`. Installed, the
 * command is on the path, where npx would ask a registry for a package of that name.
 */
function linked(file: string): string {
  const text = readFileSync(join(staged, file), 'utf8').replaceAll('npx postern', 'postern')
  return text.replaceAll(/(from |import\()'@postern\/(contract|server)'/g, (_, before: string, name: string) => {
    const path = relative(dirname(file), join('packages', name, 'src', 'index.js'))
    return `${before}'${path.startsWith('.') ? path : `./${path}`}'`
  })
}

function readManifest(path: string): Manifest {
  // Our own manifests; what is wrong with one shows at once.
  return JSON.parse(readFileSync(join(repository, path), 'utf8')) as Manifest
}

function manifestOf(name: (typeof workspaces)[number]): Manifest {
  const manifest = manifests.get(name)
  if (manifest === undefined) throw new Error(`there is no workspace ${name}`)
  return manifest
}

/** Versions are read from these. */
function innerManifest(name: (typeof workspaces)[number]): object {
  const { name: full, version } = manifestOf(name)
  return { name: full, version, private: true, type: 'module' }
}

function outerManifest(): object {
  const { name, version, description, license, engines } = manifestOf('cli')
  const all = [...manifests.values()].flatMap(({ dependencies = {} }) => Object.entries(dependencies))
  const foreign = all.filter(([each]) => !each.startsWith('@postern/')).toSorted(([a], [b]) => a.localeCompare(b))
  const dependencies = Object.fromEntries(foreign)
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    bin: { postern: './postern.js' },
    dependencies,
    engines,
  }
}

function writeJson(path: string, value: object): void {
  writeFileSync(join(staged, path), `${JSON.stringify(value, null, 2)}\n`)
}

function copy(path: string): void {
  cpSync(join(repository, path), join(staged, path), { recursive: true })
}
