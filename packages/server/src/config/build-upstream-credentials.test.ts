import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { describe, expect, it, onTestFinished } from 'vitest'

import type { Api } from '../core/apis/api.ts'
import { formatConfigError } from './issue.ts'
import { loadConfigText } from './load.ts'

const key = 'sk-canary-0123456789'

function load(more: string, env: Readonly<Record<string, string>> = { KEY: key }, folder = '/nowhere') {
  const text = `version: 1\nbrand: acme\napis:\n  shop:\n    address: shop.example.com\n    upstream: https://api.example.com\n${more}`
  return loadConfigText(text, { file: join(folder, 'postern.yaml'), env })
}

function apiOf(result: ReturnType<typeof load>): Api {
  if (!result.ok) throw new Error(result.error.map(formatConfigError).join('\n'))
  const api = result.value.declaration.apis.get('shop')
  if (api === undefined) throw new Error('no API')
  return api
}

function errors(result: ReturnType<typeof load>): readonly string[] {
  return result.ok ? [] : result.error.map(({ path, message }) => `${path}: ${message}`)
}

describe('upstream_credential (APK-2)', () => {
  it('goes to both environments as a bearer, unless a place is named', () => {
    const api = apiOf(load('    upstream_credential: ${KEY}\n'))
    expect(api.upstreamCredentials.live).toBe(api.upstreamCredentials.sandbox)
    expect(api.upstreamCredentials.live?.place).toEqual({ in: 'bearer' })
    expect(api.upstreamCredentials.live?.secret.reveal()).toBe(key)
    const placed = apiOf(
      load('    upstream_credential: ${KEY}\n    upstream_credential_in: {in: header, name: X-Api-Key}\n'),
    )
    expect(placed.upstreamCredentials.sandbox?.place).toEqual({ in: 'header', name: 'x-api-key' })
  })

  it('can be one of each environment, and be absent from one', () => {
    const api = apiOf(load('    upstream_credential: {sandbox: "${KEY}"}\n'))
    expect(api.upstreamCredentials.live).toBeNull()
    expect(api.upstreamCredentials.sandbox?.secret.reveal()).toBe(key)
  })

  it('is read from a file, without its last line break', () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-credential-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'provider.key'), `${key}\n`)
    const api = apiOf(load('    upstream_credential: file:provider.key\n', {}, folder))
    expect(api.upstreamCredentials.live?.secret.reveal()).toBe(key)
  })

  it('is printed by nothing', () => {
    const result = load('    upstream_credential: ${KEY}\n')
    const config = result.ok ? result.value : null
    const printed = [inspect(config, { depth: 30 }), JSON.stringify([...(config?.declaration.apis.values() ?? [])])]
    expect(printed.join()).toContain('[secret]')
    expect(printed.join()).not.toContain(key)
  })

  it('is refused, without being repeated, where it cannot be a credential', () => {
    expect(errors(load('    upstream_credential: ${KEY}\n', {}))).toEqual([': the environment variable KEY is not set'])
    expect(errors(load('    upstream_credential: ${KEY}\n', { KEY: '' }))).toEqual([
      'apis.shop.upstream_credential: is empty; take the key away where the upstream needs no credential',
    ])
    for (const bad of [`${key}\r\nX-Evil: 1`, `${key} x`, `${key}é`]) {
      const told = errors(load('    upstream_credential: ${KEY}\n', { KEY: bad }))
      expect(told).toEqual(['apis.shop.upstream_credential: must be printable ASCII without spaces or line breaks'])
    }
    const basic = '    upstream_credential_in: {in: basic}\n'
    expect(errors(load(`    upstream_credential: \${KEY}\n${basic}`))).toEqual([
      'apis.shop.upstream_credential: must be user:password for in: basic',
    ])
    expect(errors(load(`    upstream_credential: \${KEY}\n${basic}`, { KEY: 'me:pass word' }))).toEqual([])
  })

  it('cannot travel where it would frame the message, and a place alone is a mistake', () => {
    const at = (name: string) =>
      errors(load(`    upstream_credential: \${KEY}\n    upstream_credential_in: {in: header, name: ${name}}\n`))
    expect(at('Host')).toEqual(['apis.shop.upstream_credential_in.name: the header "host" cannot carry a credential'])
    expect(at('Authorization')).toEqual([
      'apis.shop.upstream_credential_in.name: say "in: bearer" or "in: basic" for the Authorization header',
    ])
    expect(errors(load('    upstream_credential_in: {in: bearer}\n'))).toEqual([
      'apis.shop.upstream_credential_in: names a place, but upstream_credential is missing',
    ])
  })

  it('is noted where it would travel in clear beyond this machine', () => {
    const notes = (upstream: string) => {
      const text = `version: 1\nbrand: acme\napis:\n  shop:\n    address: a.example\n    upstream: ${upstream}\n    upstream_credential: x\n`
      const result = loadConfigText(text, { file: '/nowhere/postern.yaml', env: {} })
      return result.ok ? result.value.notes.map(({ path }) => path) : ['refused']
    }
    expect(notes('http://10.0.0.1:80')).toEqual(['apis.shop.upstream_credential'])
    expect(notes('http://localhost.evil.example')).toEqual(['apis.shop.upstream_credential'])
    for (const quiet of ['https://api.example.com', 'http://127.0.0.1:11434', 'http://[::1]:1', 'http://localhost'])
      expect(notes(quiet)).toEqual([])
  })
})
