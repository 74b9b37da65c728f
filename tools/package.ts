import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Makes the tarball that `npm install --global` takes: `npm run package [-- --out FOLDER]`. Node strips no types below
 * node_modules, so what is installed is compiled. The tarball has the folders of the repository, so that relative
 * imports hold; contract and server are bundled, everything else is a dependency that npm resolves.
 */
const root = resolve(import.meta.dirname, '..')
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'dist') } } })
const out = resolve(values.out)
const staging = mkdtempSync(join(tmpdir(), 'postern-package-'))

try {
  compile()
  const bundled = ['contract', 'server'] as const
  for (const name of bundled) moveToModules(name)
  writeJson('package.json', manifestOf(bundled))
  cpSync(join(root, 'examples/demonstration.yaml'), join(staging, 'examples/demonstration.yaml'))
  for (const file of ['README.md', 'CHANGELOG.md', 'LICENSE', 'SECURITY.md'])
    cpSync(join(root, file), join(staging, file))
  mkdirSync(join(staging, 'bin'))
  writeFileSync(join(staging, 'bin/postern.js'), launcherFor(enginesOf('packages/cli')), { mode: 0o755 })
  mkdirSync(out, { recursive: true })
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', out], {
    cwd: staging,
    encoding: 'utf8',
  })
  console.log(join(out, packed.trim()))
} finally {
  rmSync(staging, { recursive: true, force: true })
}

/** An older Node would fail somewhere within, by a message that helps nobody. */
function launcherFor(engines: string): string {
  const [major = '', minor = ''] = engines.replace('>=', '').split('.')
  return `#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major > ${major} || (major === ${major} && minor >= ${minor})) await import('../packages/cli/src/main.js')
else {
  console.error(\`Postern needs Node ${major}.${minor} or newer; this is \${process.versions.node}.\`)
  process.exitCode = 1
}
`
}

/** Only what the entry points reach is compiled: no tests, nothing that stands in for the world in them. */
function compile(): void {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.package.json'), '--outDir', staging], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const files = readdirSync(staging, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name)
    // Installed, the command is on the path; npx would look for it elsewhere first.
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('npx postern', 'postern'))
  }
  cpSync(join(root, 'packages/cli/package.json'), join(staging, 'packages/cli/package.json'))
}

function moveToModules(name: string): void {
  const modules = join(staging, 'node_modules/@postern')
  mkdirSync(modules, { recursive: true })
  renameSync(join(staging, 'packages', name), join(modules, name))
  const { devDependencies: _, exports, ...manifest } = manifestIn(`packages/${name}`)
  writeJson(`node_modules/@postern/${name}/package.json`, { ...manifest, exports: compiled(exports) })
}

/** `{".": "./src/index.ts"}` as it is after compiling. */
function compiled(exports: unknown): unknown {
  return JSON.parse(JSON.stringify(exports).replaceAll('.ts"', '.js"'))
}

function manifestOf(bundled: readonly string[]): object {
  const own = manifestIn('packages/cli')
  const dependencies = Object.assign(
    {},
    ...[own, ...bundled.map((name) => manifestIn(`packages/${name}`))].map((manifest) => manifest['dependencies']),
  ) as Record<string, string>
  const sorted = Object.entries(dependencies).toSorted(([a], [b]) => a.localeCompare(b))
  return {
    name: own['name'],
    version: own['version'],
    description: 'Self-hosted access to your HTTP API: keys, a gateway, limits, audit',
    license: own['license'],
    bin: { postern: 'bin/postern.js' },
    type: 'module',
    files: ['bin', 'packages', 'examples', 'CHANGELOG.md', 'SECURITY.md'],
    dependencies: Object.fromEntries(sorted),
    bundleDependencies: bundled.map((name) => `@postern/${name}`),
    engines: own['engines'],
  }
}

function enginesOf(folder: string): string {
  const { engines } = manifestIn(folder)
  return (engines as { readonly node: string }).node
}

function manifestIn(folder: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(join(staging, path), `${JSON.stringify(value, null, 2)}\n`)
}
