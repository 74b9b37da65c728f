import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const repository = resolve(import.meta.dirname, '..')
// Below the ports that systems hand out themselves: Linux from 32768 on.
const base = 11_000 + (process.pid % 200) * 100
const bin = join(repository, 'node_modules', '.bin')
const { POSTERN_URL: _url, POSTERN_MANAGEMENT_KEY: _key, ...outer } = process.env
const env = { ...outer, PATH: `${bin}:${process.env['PATH'] ?? ''}` }

let folder: string
let running: Started

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-demonstration-'))
  // `npx postern` is found from here as it is in a clone.
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  running = await start()
})

afterAll(async () => {
  await stop(running)
  rmSync(folder, { recursive: true, force: true })
})

describe('npm start without a postern.yaml', () => {
  it('prints lines that answer what they say, also when they are pasted twice', async () => {
    const lines = linesOf(running.printed)
    expect(lines.map(({ answer }) => answer)).toEqual([
      ...Array<string>(10).fill('200'),
      '403 model_not_allowed',
      '429 budget_exceeded',
      '403 scope_missing',
      'exit 3',
      'exit 0',
      '200',
      'exit 0',
      '401 credential_revoked',
    ])
    for (const round of ['first', 'second']) {
      for (const { command, answer } of lines) {
        expect(`${round}: ${command} # ${await paste(command)}`).toBe(`${round}: ${command} # ${answer}`)
      }
    }
  }, 120_000)

  it('prints the commands of the documents as they stand there', () => {
    const commands = linesOf(running.printed).map(({ command }) => command)
    const key = '[0-9A-Za-z_-]+'
    expect(commands[0]).toMatch(
      new RegExp(
        `^curl -X GET http://127\\.0\\.0\\.1:${base + 1}/v1/data -H 'Accept: application/json' -H 'Authorization: Bearer ${key}'$`,
      ),
    )
    expect(commands[1]).toMatch(
      new RegExp(
        `^curl -X GET http://127\\.0\\.0\\.1:${base + 2}/v2/links -H 'X-ClickMeter-API-Key: ${key}' -H 'Content-Type: application/json'$`,
      ),
    )
    expect(commands[5]).toMatch(
      new RegExp(
        `^curl -X GET -H "X-Client-Application-Id: ${key}" -H "X-Client-Token: ${key}" -H "Content-Type: application/json" -H "origin: yourdomain\\.com" -d '\\{"order":\\{"amount":20000\\}\\}' "http://127\\.0\\.0\\.1:${base + 5}/client/v1/validate\\?code=BLCKFRDY"$`,
      ),
    )
  })

  it('passes GET, POST, PUT and DELETE with JSON bodies (CLM-2)', async () => {
    const line = linesOf(running.printed)[1]?.command ?? ''
    const call = async (method: string, path: string, body?: object) => {
      const headers = Object.fromEntries(
        [...line.matchAll(/-H '([^:']+): ([^']+)'/g)].map(([, name = '', value = '']) => [name, value]),
      )
      const response = await fetch(`http://127.0.0.1:${base + 2}${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? null : (JSON.parse(text) as { id: string; name: string }) }
    }
    const made = await call('POST', '/v2/links', { name: 'Winter', destination: 'https://shop.example/winter' })
    expect(made).toMatchObject({ status: 201, body: { name: 'Winter' } })
    const path = `/v2/links/${made.body?.id ?? ''}`
    expect(await call('PUT', path, { name: 'Spring' })).toMatchObject({ status: 200, body: { name: 'Spring' } })
    expect(await call('GET', path)).toMatchObject({ status: 200, body: { name: 'Spring' } })
    expect(await call('DELETE', path)).toEqual({ status: 204, body: null })
    expect((await call('GET', path)).status).toBe(404)
  })

  it('can be pasted whole: all that is no command is a comment or empty', () => {
    const rest = running.printed.split('\n').filter((line) => !/ # \S/.test(line.slice(2)))
    expect(rest.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
  })

  it('keeps its own secrets for the owner of the folder alone', () => {
    for (const file of ['demonstration.json', 'management.key']) {
      expect(statSync(join(folder, '.postern', 'data', file)).mode & 0o777).toBe(0o600)
    }
  })

  it('names every port that is in the way, with its owner, and changes nothing', async () => {
    const held = [await hold(base + 1_001), await hold(base + 1_005)]
    try {
      const second = await launch(base + 1_000).ended
      expect(second.code).toBe(1)
      expect(second.stderr).toContain(
        `127.0.0.1:${base + 1_001}, 127.0.0.1:${base + 1_005}: in use by process ${process.pid}`,
      )
      expect(second.stderr).toMatch(/data folder .* is in use by process/)
    } finally {
      for (const server of held) server.close()
    }
  })

  it('prints the same after a new start, and makes anew what the reader has revoked, and says so', async () => {
    const before = linesOf(running.printed).slice(0, 13)
    const state: unknown = JSON.parse(readFileSync(join(folder, '.postern', 'data', 'demonstration.json'), 'utf8'))
    expect(state).toMatchObject({ credentials: { cardconnect: { id: expect.stringMatching(/^cred_/) } } })
    const { id } = (state as { credentials: { cardconnect: { id: string } } }).credentials.cardconnect
    expect(await paste(`POSTERN_URL=http://127.0.0.1:${base + 81} npx postern key revoke ${id} --yes`)).toBe('exit 0')
    await stop(running)
    running = await start()
    const after = linesOf(running.printed).slice(0, 13)
    expect(after.filter((line) => !isCardConnect(line))).toEqual(before.filter((line) => !isCardConnect(line)))
    expect(running.printed).toContain('"Card Connect" is revoked: a new credential was made.')
    for (const { command, answer } of after.filter(isCardConnect)) expect(await paste(command)).toBe(answer)
  }, 60_000)
})

const isCardConnect = ({ command }: DemoLine): boolean => command.includes('/v1/transactions')

interface DemoLine {
  readonly command: string
  readonly answer: string
}

function linesOf(printed: string): readonly DemoLine[] {
  return printed.split('\n').flatMap((line) => {
    const match = /^((?:curl|npx|POSTERN_URL=).*?) {2}# (.+)$/.exec(line)
    return match === null ? [] : [{ command: match[1] ?? '', answer: match[2] ?? '' }]
  })
}

/** Runs one line in a shell of its own and answers in the words of the comment. */
async function paste(command: string): Promise<string> {
  const isCurl = command.startsWith('curl')
  const body = join(folder, 'answer')
  const { code, stdout } = await collect(
    spawn('bash', ['-c', isCurl ? `${command} -s -o ${body} -w '%{http_code}'` : command], { cwd: folder, env }),
  )
  if (!isCurl) return `exit ${code}`
  const problem = /"code":"([a-z_]+)"/.exec(readFileSync(body, 'utf8'))?.[1]
  return problem === undefined ? stdout : `${stdout} ${problem}`
}

interface Started {
  readonly child: ChildProcess
  readonly printed: string
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function start(): Promise<Started> {
  const { child, ended } = launch(base)
  const printed = await new Promise<string>((found, failed) => {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += String(chunk)
      if (text.includes('Ctrl-C stops it')) found(text)
    })
    ended.then(({ code, stderr }) => failed(new Error(`it ended with ${code}: ${stderr}`)), failed)
  })
  return { child, printed }
}

function launch(portBase: number): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(
    process.execPath,
    [join(repository, 'packages/cli/src/npm-start.ts'), '--port-base', String(portBase)],
    { cwd: folder, env },
  )
  return { child, ended: collect(child) }
}

async function collect(child: ChildProcess): Promise<Ended> {
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)))
  return await new Promise((resolveEnd, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolveEnd({ code, stdout, stderr }))
  })
}

async function stop({ child }: Started): Promise<void> {
  if (child.exitCode !== null) return
  const closed = new Promise((done) => child.once('close', done))
  child.kill('SIGTERM')
  await closed
}

async function hold(port: number): Promise<Server> {
  const server = createServer()
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening))
  return server
}
