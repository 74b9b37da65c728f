import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Client, type Door, connectTo } from '../../../fuzz/lib/client.ts'
import { type Upstream, answerOk, startUpstream } from '../../../fuzz/lib/upstream.ts'
import type { StrictResponse } from '../../../fuzz/strict/response.ts'
import { makeAuthority } from '../../support/certificates.ts'
import { issue, makeAccount, type Account, type Holder } from '../../support/issue.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'

/** The whole server between bare sockets: authentication, decision, limits, counting and log as they are. */
export interface Stage {
  readonly transport: Transport
  readonly server: TestServer
  readonly upstream: Upstream
  readonly door: Door
  readonly account: Account
  readonly key: Holder
  /** Lines of a head with Host and a good credential, and the blank line behind them. */
  head(requestLine: string, ...lines: readonly string[]): string
  /** The same without the credential. */
  anonymous(requestLine: string, ...lines: readonly string[]): string
  /** A connection that the next `reset` ends. */
  connect(from?: string): Client
  /** One request on a connection of its own. */
  ask(text: string): Promise<StrictResponse>
  /** Between tests: the upstream forgets and answers `200 ok` again, connections of clients end. */
  reset(): Promise<void>
  stop(): Promise<void>
}

/** How clients reach the gateway: everything has to hold over both. */
export interface Transport {
  readonly name: 'plain HTTP' | 'TLS'
}

export const transports: readonly Transport[] = [{ name: 'plain HTTP' }, { name: 'TLS' }]

function yamlFor(port: number, more: Readonly<Record<string, string>>): string {
  const others = Object.entries(more).map(([id, lines]) => `  ${id}:\n    address: ${id}.test\n    ${lines}\n`)
  return `
failures: {attempts: 1000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: http://127.0.0.1:${port}
    credentials:
      - {in: bearer}
      - {in: header, name: X-Api-Key}
      - {in: query, name: api_key}
    scopes: {orders.read: Read orders, admin: Everything}
    unmatched: forward
    routes:
      - {id: admin, path: "/admin/**", scopes: {any: [admin]}}
      - {id: raw, path: "/raw/**", raw_path: true}
      - {id: small, path: "/small/**", body_max: 10B}
      - {id: quick, path: "/quick/**", timeouts: {connect: 200ms, first_byte: 200ms, idle: 200ms}}
${others.join('')}plans:
  pro: {apis: [${['shop', ...Object.keys(more)].join(', ')}], kinds: [secret]}
`
}

/** A certificate for the gateway, and what a client needs to believe it. */
function certificateIn(folder: string): Door['tls'] {
  const authority = makeAuthority()
  const { cert, key } = authority.issue({ names: ['shop.test'] })
  writeFileSync(join(folder, 'gate.pem'), cert)
  writeFileSync(join(folder, 'gate.key'), key, { mode: 0o600 })
  return { ca: authority.cert, servername: 'shop.test' }
}

/** `more`: APIs beside those of every stage, as YAML below `apis:`; credentials are good for all of them. */
export async function startStage(transport: Transport, more: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const upstream = await startUpstream()
  const folder = mkdtempSync(join(tmpdir(), 'postern-stage-'))
  const tls = transport.name === 'TLS' ? certificateIn(folder) : null
  const server = await startTestServer({
    folder,
    yaml: yamlFor(upstream.port, more),
    ...(tls !== null && {
      listen: `, tls: {listeners: [gateway], certificates: [{cert: ./gate.pem, key: ./gate.key}]}`,
    }),
  })
  const account = await makeAccount(server.api, 'pro')
  const key = await issue(server.api, account.project, {
    apis: ['shop', ...Object.keys(more)],
    scopes: ['orders.read'],
  })
  const door: Door = { port: server.gatewayPort, tls }
  const clients = new Set<Client>()
  const connect = (from?: string): Client => {
    const client = connectTo(door, from)
    clients.add(client)
    return client
  }
  const headOf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`
  const anonymous = (requestLine: string, ...lines: readonly string[]): string =>
    headOf([`${requestLine} HTTP/1.1`, 'Host: shop.test', ...lines])
  return {
    transport,
    server,
    upstream,
    door,
    account,
    key,
    head: (requestLine, ...lines) => anonymous(requestLine, `Authorization: Bearer ${key.value}`, ...lines),
    anonymous,
    connect,
    ask: async (text) => {
      const client = connect()
      client.send(text)
      const answer = await client.answer(text.slice(0, text.indexOf(' ')))
      client.socket.destroy()
      return answer
    },
    reset: async () => {
      for (const { socket } of clients) socket.destroy()
      clients.clear()
      upstream.respond = answerOk
      upstream.onHead = null
      await upstream.cut()
    },
    stop: async () => {
      for (const { socket } of clients) socket.destroy()
      await server.stop()
      await upstream.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What an answer of our own says: status, code and whether it carries its request id. */
export function refusal(answer: StrictResponse): { readonly status: number; readonly code: string } {
  const body = JSON.parse(answer.body)
  if (body.request_id !== valueOf(answer, 'x-request-id')) throw new Error(`no request id: ${answer.body}`)
  return { status: answer.status, code: body.code }
}

/** Value of the only line of that name (lower case); null where there is none. */
export function valueOf({ lines }: Pick<StrictResponse, 'lines'>, name: string): string | null {
  const values = lines.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value)
  if (values.length > 1) throw new Error(`${name} stands more than once: ${values.join(' | ')}`)
  return values[0] ?? null
}

/** Milliseconds until it holds; fails where it does not within `withinMs`. */
export async function msUntil(condition: () => boolean, withinMs: number): Promise<number> {
  const start = performance.now()
  while (!condition()) {
    if (performance.now() - start > withinMs) throw new Error(`not within ${withinMs} ms`)
    await new Promise((resolve) => void setTimeout(resolve, 2))
  }
  return performance.now() - start
}
