import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'

import { bearer, issue, makeAccount, type Account } from './support/issue.ts'
import { freePorts } from './support/ports.ts'
import { startServerProcess, type ServerProcess } from './support/process.ts'
import { request } from './support/raw.ts'
import { callApi, managementKey } from './support/server.ts'
import { until } from './support/until.ts'

const chunk = 'x'.repeat(65_536)
const chunks = 40

let upstream: Server
let upstreamUrl: string

beforeAll(async () => {
  upstream = createServer((req, res) => {
    if (req.url === '/stream') {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      const beat = setInterval(() => res.write('data: tick\n\n'), 20)
      res.once('close', () => clearInterval(beat))
    } else if (req.url === '/download') {
      res.writeHead(200, { 'Content-Length': String(chunk.length * chunks) })
      let sent = 0
      const beat = setInterval(() => {
        res.write(chunk)
        if (++sent < chunks) return
        clearInterval(beat)
        res.end()
      }, 20)
    } else {
      let length = 0
      req.on('data', (data: Buffer) => (length += data.length))
      req.on('end', () => res.end(`took ${length}`))
    }
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  upstreamUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
})
afterAll(() => {
  upstream.closeAllConnections()
  upstream.close()
})

const yaml = (shutdown: string) => `
shutdown: ${shutdown}
apis:
  shop:
    address: shop.test
    upstream: ${upstreamUrl}
    routes: [{id: all, path: "/**"}]
plans:
  pro: {apis: [shop], kinds: [secret]}
`

/** A connection that remembers what came. */
function client(port: number): { readonly socket: Socket; text(): string; readonly ended: Promise<void> } {
  const parts: Buffer[] = []
  const socket = connect(port, '127.0.0.1')
  socket.on('data', (data: Buffer) => parts.push(data))
  socket.on('error', () => undefined)
  return {
    socket,
    text: () => Buffer.concat(parts).toString('latin1'),
    ended: new Promise((resolve) => {
      socket.once('close', () => resolve())
    }),
  }
}

describe('a stop by SIGTERM', () => {
  let server: ServerProcess
  let account: Account

  it('says that it is not ready, lets running requests end, cuts a stream at the grace and loses no count', async () => {
    server = await startServerProcess({ yaml: yaml('{delay: 500ms, grace: 3s}') })
    onTestFinished(() => server.remove())
    account = await makeAccount(server.api, 'pro')
    const { value, id } = await issue(server.api, account.project, { scopes: [] })
    const head = (line: string, more = '') =>
      `${line} HTTP/1.1\r\nHost: shop.test\r\nAuthorization: Bearer ${value}\r\n${more}\r\n`
    const { gatewayPort } = server

    const [stream, download, upload, idle] = [0, 1, 2, 3].map(() => client(gatewayPort))
    if (stream === undefined || download === undefined || upload === undefined || idle === undefined) throw new Error()
    stream.socket.write(head('GET /stream'))
    download.socket.write(head('GET /download'))
    upload.socket.write(`${head('POST /upload', 'Content-Length: 10\r\n')}12345`)
    idle.socket.write(head('GET /'))
    await until('the answers have begun', () =>
      [stream, download, idle].every((each) => each.text().includes('\r\n\r\n')),
    )

    server.signal('SIGTERM')
    const opsPort = Number(new URL(server.ops).port)
    await until('it says that it is not ready', async () => {
      return (await request(opsPort, { target: '/readyz' })).status === 503
    })
    expect((await request(opsPort, { target: '/readyz' })).body).toEqual({
      status: 'not_ready',
      reasons: ['the server is stopping'],
    })
    // Still within the delay: requests are served, and told that their connection ends.
    idle.socket.write(head('GET /'))
    await idle.ended
    expect(idle.text().match(/HTTP\/1\.1 200/g)).toHaveLength(2)
    expect(idle.text().match(/^Connection: close\r$/gim)).toHaveLength(1)

    let polled = 0
    await until('it no longer accepts', async () => {
      return await request(gatewayPort, { target: '/poll', headers: [bearer(value)] }).then(
        () => ++polled < 0,
        () => true,
      )
    })
    upload.socket.write('67890')
    await upload.ended
    expect(upload.text()).toMatch(/^HTTP\/1\.1 200 [^]*took 10/)
    await download.ended
    expect(download.text().length).toBeGreaterThan(chunk.length * chunks)
    expect(download.text().endsWith(chunk)).toBe(true)
    const ticks = stream.text().length
    await stream.ended
    expect(stream.text().length).toBeGreaterThan(ticks)
    expect(stream.text()).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(await server.exited).toBe(0)

    const again = await startServerProcess({ yaml: yaml('{grace: 0s}'), folder: server.folder })
    const rows = (await again.api('GET', `/requests?credential=${id}&limit=100`)).body.data
    const paths: readonly string[] = rows.map((row: { path: string }) => row.path).toSorted()
    expect(paths.filter((path) => path !== '/poll')).toEqual(['/', '/', '/download', '/stream', '/upload'])
    expect(paths.filter((path) => path === '/poll')).toHaveLength(polled)
    await again.stop()
    expect(await again.exited).toBe(0)
  })
})

describe('a socket that was passed (sd_listen_fds(3))', () => {
  const cli = join(import.meta.dirname, '../packages/cli/src/main.ts')

  /**
   * A service manager in miniature: a shell that keeps the listening socket and runs the server on it, again and again.
   * This process has closed its own copy, so that nothing else accepts.
   */
  async function manager(
    folder: string,
    listening: Promise<Server | ReturnType<typeof createNetServer>>,
    names: string,
  ) {
    const socket = await listening
    const script = `while :; do sh -c 'LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=${names} exec "$0" "$1" start' "$0" "$1" || exit $?; done`
    const child = spawn('sh', ['-c', script, process.execPath, cli], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', descriptorOf(socket)],
      env: { ...process.env, POSTERN_MANAGEMENT_KEY: managementKey },
      detached: true,
    })
    socket.close()
    const written: string[] = []
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => written.push(text))
    }
    return { child, output: () => written.join('') }
  }

  /** Node shows it to nobody, and a listening socket has no other way to a child. */
  const descriptorOf = (server: object): number => Number(Reflect.get(Object(Reflect.get(server, '_handle')), 'fd'))

  const end = (child: ChildProcess) => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }

  async function aSocket() {
    const server = createNetServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { server, port: (server.address() as AddressInfo).port }
  }

  function aFolder(gateway: number, console: number, ops: number): string {
    const folder = mkdtempSync(join(tmpdir(), 'postern-passed-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const listen = `{gateway: "127.0.0.1:${gateway}", console: "127.0.0.1:${console}", ops: "127.0.0.1:${ops}"}`
    writeFileSync(
      join(folder, 'postern.yaml'),
      `version: 1\nbrand: acme\nlisten: ${listen}\npublic_url: http://127.0.0.1:${console}\n${yaml('{grace: 1s}')}`,
    )
    return folder
  }

  it('serves across a restart: no connection is refused, reset or left without an answer', async () => {
    const { server, port } = await aSocket()
    const [console = 0, ops = 0] = await freePorts(2)
    const folder = aFolder(port, console, ops)
    const { child, output } = await manager(folder, Promise.resolve(server), 'gateway')
    onTestFinished(() => end(child))
    // In the queue of the socket before the server has started.
    const early = await request(port, { headers: [bearer('wrong')] })
    expect(early.status).toBe(401)
    const api = callApi(`http://127.0.0.1:${console}`)
    await until('the console listens', async () => (await api('GET', '/system').catch(() => null))?.status === 200)
    const account = await makeAccount(api, 'pro')
    const { value } = await issue(api, account.project, { scopes: [] })

    const pidOf = () => Number(JSON.parse(readFileSync(join(folder, 'data/lock.json'), 'utf8')).pid)
    const first = pidOf()
    const enough = new AbortController()
    const seen: number[] = []
    const failures: string[] = []
    const asker = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        await request(port, { headers: [bearer(value)] }).then(
          (answer) => seen.push(answer.status),
          (error: unknown) => failures.push(String(error)),
        )
      }
    }
    const askers = [asker(), asker(), asker()]
    await until('requests are served', () => seen.length > 20)
    process.kill(first, 'SIGTERM')
    await until(
      'another process serves',
      () => {
        try {
          return pidOf() !== first
        } catch {
          return false
        }
      },
      20_000,
    )
    const before = seen.length
    await until('requests are served again', () => seen.length > before + 20, 20_000)
    enough.abort()
    await Promise.all(askers)
    expect(failures).toEqual([])
    expect(new Set(seen)).toEqual(new Set([200]))
    expect(output()).toContain('server.stopped')
  }, 60_000)

  it('for another port than the one that is declared is refused', async () => {
    const { server, port } = await aSocket()
    const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
    const { child, output } = await manager(aFolder(gateway, console, ops), Promise.resolve(server), 'gateway')
    onTestFinished(() => end(child))
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(output()).toContain(`the socket that was passed for 127.0.0.1:${gateway} listens on port ${port}`)
  })

  it('of a name that is not known is refused', async () => {
    const { server } = await aSocket()
    const [gateway = 0, console = 0, ops = 0] = await freePorts(3)
    const { child, output } = await manager(aFolder(gateway, console, ops), Promise.resolve(server), 'http')
    onTestFinished(() => end(child))
    expect(await once(child, 'exit')).toEqual([1, null])
    expect(output()).toContain(
      'a socket was passed as "http"; FileDescriptorName= must be gateway, console, ops, forward_auth,',
    )
  })
})
