import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { passedSockets } from '../../packages/server/src/ops/passed-sockets.ts'
import { programPath } from './support/programs.ts'

const units = join(import.meta.dirname, '../../deploy/systemd')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-units-'))
  for (const name of readdirSync(units)) copyFileSync(join(units, name), join(folder, name))
  // Where npm puts the command is nothing that this machine needs to have.
  change('postern.service', (text) => text.replace('/usr/local/bin/postern', '/bin/true'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function change(name: string, to: (text: string) => string): void {
  const file = join(folder, name)
  writeFileSync(file, to(readFileSync(file, 'utf8')))
}

/** What systemd itself says of the units: of other units that these name, only whether they are there. */
function verified(): string {
  const files = readdirSync(units).map((name) => join(folder, name))
  const { stdout, stderr, status } = spawnSync(programPath('systemd-analyze'), ['verify', ...files], {
    encoding: 'utf8',
    timeout: 30_000,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' },
  })
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('postern'))
  return [`status ${status}`, ...said].join('\n')
}

describe('the systemd units of deploy/', () => {
  it('are good to systemd itself, which would otherwise only ignore what it does not understand', () => {
    expect(verified()).toBe('status 0')
  })

  it.each([
    ['postern.service', 'ProtectProc=invisible', 'ProtectProc=unseen', /postern\.service:\d+: .*unseen/],
    ['postern.service', 'NoNewPrivileges', 'NoNewRights', /postern\.service:\d+: Unknown key.*NoNewRights/],
    ['postern-gateway.socket', 'ListenStream=8080', 'ListenStream=8080x', /postern-gateway\.socket:\d+: .*8080x/],
  ])('would be found to be wrong: %s with %s as %s', (name, from, to, told) => {
    change(name, (text) => text.replace(from, to))
    expect(verified()).toMatch(told)
  })

  it('pass their socket under a name, and on the port, that the server takes', () => {
    const socket = readFileSync(join(units, 'postern-gateway.socket'), 'utf8')
    const name = /^FileDescriptorName=(.*)$/m.exec(socket)?.[1] ?? ''
    const passed = passedSockets({ LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: name }, 1)
    expect(passed).toMatchObject({ ok: true, value: { gateway: 3 } })
  })
})
