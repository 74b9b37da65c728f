import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import { fixedClock, systemClock } from '../base/clock.ts'
import { refuse } from '../core/decision/refuse.ts'
import { type AccessLogSettings, createAccessLog } from './access-log.ts'
import { createLineWriter } from './line-writer.ts'
import { aRequest, type RequestOfTest } from './testing/entries.ts'

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-access-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function openBoth(pipe: string): number {
  const fd = openSync(pipe, 'r+')
  onTestFinished(() => closeSync(fd))
  return fd
}

async function logged(requests: readonly RequestOfTest[], settings: Partial<AccessLogSettings> = {}) {
  const file = join(aFolder(), 'access.log')
  const log = createAccessLog({ clock: systemClock, onFault: () => undefined })
  log.use({ file, oneIn: 1, ...settings })
  for (const each of requests) log.ended(aRequest(each))
  await log.close()
  const lines = readFileSync(file, 'utf8').trimEnd()
  return lines === '' ? [] : lines.split('\n').map((line): Record<string, unknown> => JSON.parse(line))
}

describe('the access log', () => {
  it('has one JSON line for each request, with every field', async () => {
    const now = Date.UTC(2026, 1, 3, 4, 5, 6, 7)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const [line] = await logged([
      {
        now,
        requestId: 'req_7',
        target: '/v1/orders/7?q=1',
        headers: ['User-Agent', 'curl/8 "quoted" \u00e9', 'traceparent', traceparent],
        latencyMs: 1.2345,
        upstreamMs: 1,
        received: 3,
        sent: 5,
      },
    ])
    expect(line).toEqual({
      at: '2026-02-03T04:05:06.007Z',
      id: 'req_7',
      via: 'gateway',
      method: 'GET',
      path: '/v1/orders/7',
      status: 200,
      outcome: '2xx',
      code: null,
      api: 'shop',
      route: 'getOrder',
      account: null,
      project: null,
      credential: null,
      ip: '0.0.0.1',
      user_agent: 'curl/8 "quoted" \u00e9',
      ms: 1.23,
      upstream_ms: 1,
      received: 3,
      sent: 5,
      trace_id: '0af7651916cd43dd8448eb211c80319c',
    })
  })

  it('is one line whatever a client writes, and holds nothing that was presented as a credential', async () => {
    const secret = 'what-was-presented'
    const lines = await logged([
      {
        target: `/v1/"\\\u0000\n\u2028/${secret}?api_key=${secret}`,
        headers: ['user-agent', `x\n{"a":1}${secret}`],
        secret,
      },
    ])
    expect(lines).toHaveLength(1)
    expect(JSON.stringify(lines)).not.toContain(secret)
    expect(lines[0]).toMatchObject({ path: '/v1/"\\\u0000\n\u2028/***', user_agent: 'x\n{"a":1}***' })
  })

  it('is sampled where all went well, and whole where not', async () => {
    const wrong: RequestOfTest[] = [
      { refusal: refuse('scope_missing'), status: 403 },
      { status: 503 },
      { ended: 'upstream_error', status: 502 },
      { ended: 'client_gone', status: 499 },
    ]
    const lines = await logged([...Array.from({ length: 30 }, () => ({})), ...wrong], { oneIn: 10 })
    expect(lines.map(({ outcome }) => outcome)).toEqual([
      '2xx',
      '2xx',
      '2xx',
      'scope_missing',
      '5xx',
      'upstream_error',
      'client_gone',
    ])
    expect(lines[3]).toMatchObject({ code: 'scope_missing', status: 403 })
  })

  it('goes to a file of its owner alone, which is made anew when it was moved away', async () => {
    const folder = aFolder()
    const file = join(folder, 'access.log')
    const log = createAccessLog({ clock: systemClock, onFault: () => undefined })
    log.use({ file, oneIn: 1 })
    log.ended(aRequest({ requestId: 'req_1' }))
    renameSync(file, `${file}.1`)
    log.use({ file, oneIn: 1 })
    log.ended(aRequest({ requestId: 'req_2', via: 'forward_auth' }))
    await log.close()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(`${file}.1`, 'utf8')).toContain('"id":"req_1","via":"gateway"')
    expect(readFileSync(file, 'utf8')).toContain('"id":"req_2","via":"forward_auth"')
    expect(readFileSync(file, 'utf8')).not.toContain('req_1')
  })

  it('stays as it is where the next file cannot be opened', async () => {
    const file = join(aFolder(), 'access.log')
    const log = createAccessLog({ clock: systemClock, onFault: () => undefined })
    log.use({ file, oneIn: 1 })
    expect(() => log.use({ file: '/nowhere/at/all', oneIn: 1 })).toThrow('ENOENT')
    log.ended(aRequest())
    await log.close()
    expect(readFileSync(file, 'utf8')).toContain('req_1')
  })

  it('writes nothing while it is off', () => {
    const log = createAccessLog({ clock: systemClock, onFault: () => undefined })
    log.ended(aRequest())
    expect(log.dropped).toBe(0)
  })
})

describe('lines that nobody takes', () => {
  it('are dropped above a bound and counted; the server stops all the same', async () => {
    const pipe = join(aFolder(), 'pipe')
    execFileSync('mkfifo', [pipe])
    // Opened for reading and writing, a pipe needs no reader, and fills up.
    const clock = fixedClock()
    const writer = createLineWriter({
      file: `/proc/self/fd/${openBoth(pipe)}`,
      clock,
      onFault: () => undefined,
      heldMax: 1_000,
    })
    const line = `${'x'.repeat(99)}\n`
    for (let i = 0; i < 5_000; i++) writer.write(line)
    expect(writer.dropped).toBe(4_990)
    const closed = writer.close()
    clock.advance(2_000)
    await closed
  })

  it('are told of once, where the disk does not take them', async () => {
    const faults: unknown[] = []
    const clock = fixedClock()
    const writer = createLineWriter({ file: '/dev/full', clock, onFault: (error) => faults.push(error) })
    writer.write('a\n')
    await expect.poll(() => faults.length).toBe(1)
    clock.advance(100)
    await writer.close()
    expect(faults.map(String)).toEqual([expect.stringContaining('ENOSPC')])
  })
})
