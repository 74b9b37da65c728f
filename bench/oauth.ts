import type { ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { issue, makeAccount } from '../tests/support/issue.ts'
import { freePorts } from '../tests/support/ports.ts'
import type { ServerProcess } from '../tests/support/process.ts'
import { bar, type Bench, type Report } from './lib/bench.ts'
import { startFullServer } from './lib/full-server.ts'
import { end, startReady } from './lib/processes.ts'
import {
  connections,
  cost,
  makeSide,
  measure,
  pinSides,
  ratios,
  type Round,
  settleMs,
  type Side,
  spread,
} from './lib/sides.ts'
import { median } from './lib/stats.ts'
import { inTemporaryFolder } from './lib/temporary.ts'

const mint = 'client_credentials'
const look = 'introspection'
const ours = (what: string) => `${what}: ours`
const again = (what: string) => `${what}: ours, a second process (A/A)`
const theirs = (what: string) => `${what}: oidc-provider`
const bare = `${mint}: a bare endpoint with the same write`
const withKey = 'gateway with a key'
const withKeyAgain = 'gateway with a key, a second process (A/A)'
const withToken = 'gateway with an opaque token'

const clientOfPeers = { id: 'bench', secret: 'a-secret-of-a-client-in-a-bench-0123456789' }

export const oauth: Bench = {
  name: 'oauth',
  about: 'tokens minted and introspected beside oidc-provider and a bare endpoint; the gateway with a token',
  run: ({ quick, progress }) =>
    inTemporaryFolder(async (folder) => {
      const servers: ServerProcess[] = []
      const children: ChildProcess[] = []
      try {
        progress('starting')
        const [upstream = 0] = await freePorts(1)
        const origin = await startReady('upstream-process.ts', [String(upstream)])
        children.push(origin)
        const sides = await startSides({ folder, upstream, servers, children })
        const pinned = pinSides(sides, origin)
        const plan = { rounds: quick ? 5 : 17, slices: quick ? 2 : 6, warmUpSlices: quick ? 4 : 12 }
        return report(await measure(sides, plan, progress), pinned)
      } finally {
        for (const child of children) await end(child)
        for (const server of servers) {
          await server.kill()
          server.remove()
        }
      }
    }),
}

interface Started {
  readonly folder: string
  readonly upstream: number
  readonly servers: ServerProcess[]
  readonly children: ChildProcess[]
}

interface Ours {
  readonly pid: number
  readonly consolePort: number
  readonly gatewayPort: number
  readonly client: { readonly id: string; readonly secret: string }
  readonly key: string
  readonly token: string
  readonly credential: string
  readonly account: string
  readonly project: string
}

async function startSides(started: Started): Promise<readonly Side[]> {
  const { folder, children } = started
  const [first, second] = [await startOurs(started), await startOurs(started)]
  const [oidcPort = 0, barePort = 0] = await freePorts(2)
  const oidc = await startReady('oidc-provider-process.ts', [String(oidcPort), join(folder, 'oidc.db')])
  children.push(oidc)
  const own = join(folder, 'bare')
  mkdirSync(own, { mode: 0o700 })
  const bareArgs = [String(barePort), own, first.credential, first.account, first.project]
  const least = await startReady('bare-token-endpoint.ts', bareArgs)
  children.push(least)
  const oidcToken = await tokenFrom(`http://127.0.0.1:${oidcPort}/token`, clientOfPeers)
  const minted = (client: Ours['client'], path: string) =>
    form(path, client, 'grant_type=client_credentials&scope=orders.read')
  const looked = (client: Ours['client'], path: string, token: string) => form(path, client, `token=${token}`)
  const sides = [
    makeSide({
      name: ours(mint),
      pid: first.pid,
      port: first.consolePort,
      request: minted(first.client, '/oauth/token'),
    }),
    makeSide({ name: bare, pid: least.pid ?? 0, port: barePort, request: minted(clientOfPeers, '/token') }),
    makeSide({ name: theirs(mint), pid: oidc.pid ?? 0, port: oidcPort, request: minted(clientOfPeers, '/token') }),
    makeSide({
      name: again(mint),
      pid: second.pid,
      port: second.consolePort,
      request: minted(second.client, '/oauth/token'),
    }),
    makeSide({
      name: ours(look),
      pid: first.pid,
      port: first.consolePort,
      request: looked(first.client, '/oauth/introspect', first.token),
    }),
    makeSide({
      name: theirs(look),
      pid: oidc.pid ?? 0,
      port: oidcPort,
      request: looked(clientOfPeers, '/token/introspection', oidcToken),
    }),
    makeSide({
      name: again(look),
      pid: second.pid,
      port: second.consolePort,
      request: looked(second.client, '/oauth/introspect', second.token),
    }),
    makeSide({ name: withKey, pid: first.pid, port: first.gatewayPort, request: call(first.key) }),
    makeSide({ name: withToken, pid: first.pid, port: first.gatewayPort, request: call(first.token) }),
    makeSide({ name: withKeyAgain, pid: second.pid, port: second.gatewayPort, request: call(second.key) }),
  ]
  children.push(...sides.map(({ load }) => load))
  return sides
}

async function startOurs({ upstream, servers }: Started): Promise<Ours> {
  const server = await startFullServer(`http://127.0.0.1:${upstream}`)
  servers.push(server)
  const { project, id: account } = await makeAccount(server.api, 'pro')
  const { value: key } = await issue(server.api, project)
  const client = await issue(server.api, project, { kind: 'oauth_client', oauth: { type: 'confidential' } })
  const held = { id: client.publicId, secret: client.value }
  return {
    pid: server.pid,
    consolePort: Number(new URL(server.console).port),
    gatewayPort: server.gatewayPort,
    client: held,
    key,
    token: await tokenFrom(`${server.console}/oauth/token`, held),
    credential: client.id,
    account,
    project,
  }
}

async function tokenFrom(url: string, { id, secret }: Ours['client']): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders.read' }),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`)
  const { access_token: token } = JSON.parse(text) as { readonly access_token: string }
  return token
}

function form(path: string, { id, secret }: Ours['client'], body: string): string {
  const basic = Buffer.from(`${id}:${secret}`).toString('base64')
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1\r\nAccept: application/json\r\nAuthorization: Basic ${basic}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

function call(value: string): string {
  return `GET /v1/orders/1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\nAuthorization: Bearer ${value}\r\n\r\n`
}

function report(rounds: readonly Round[], pinned: boolean): Report {
  const names = [
    ours(mint),
    again(mint),
    bare,
    theirs(mint),
    ours(look),
    again(look),
    theirs(look),
    withKey,
    withKeyAgain,
    withToken,
  ]
  const baseOf = (name: string) => (name.startsWith(mint) ? ours(mint) : name.startsWith(look) ? ours(look) : withKey)
  const times = (name: string) => median(ratios(rounds, name, baseOf(name)))
  const apartMint = spread(rounds, ours(mint), again(mint))
  const apartLook = spread(rounds, ours(look), again(look))
  const apartKey = spread(rounds, withKey, withKeyAgain)
  const percent = (ratio: number) => `${(ratio * 100).toFixed(1)} %`
  return {
    tables: [
      {
        title: `CPU a request, ${connections} connections, ${rounds.length} rounds${pinned ? ', each server on one core' : ''}`,
        rows: [
          ['', 'median', 'to ours', 'of it the serving thread'],
          ...names.map((name) => [
            name,
            `${cost(rounds, name, 'all').toFixed(1)} µs`,
            `${times(name).toFixed(3)} ×`,
            `${cost(rounds, name, 'main').toFixed(1)} µs`,
          ]),
        ],
      },
    ],
    bars: [
      bar(
        'client_credentials at least 2 × oidc-provider on SQLite',
        `${times(theirs(mint)).toFixed(2)} ×, A/A spread ${percent(apartMint)}`,
        times(theirs(mint)) * (1 + apartMint) >= 2,
      ),
      bar(
        'client_credentials at least 0.7 × a bare endpoint that does only the same write',
        `${times(bare).toFixed(2)} ×, A/A spread ${percent(apartMint)}`,
        times(bare) * (1 + apartMint) >= 0.7,
      ),
      bar(
        'introspection at least 3 × oidc-provider on SQLite',
        `${times(theirs(look)).toFixed(2)} ×, A/A spread ${percent(apartLook)}`,
        times(theirs(look)) * (1 + apartLook) >= 3,
      ),
      bar(
        'the gateway with an opaque token within 10 % of the CPU with a key',
        `${percent(times(withToken) - 1)}, A/A spread ${percent(apartKey)}`,
        times(withToken) - apartKey <= 1.1,
      ),
    ],
    notes: [
      'N × X: the CPU of X a request over ours, both of one round; all threads, user and system, less what the process uses idle in the same time.',
      `A round ends ${settleMs} ms after its last answer, so that writing the request log and the counts is part of ours.`,
      'Ours: the server as it is started, SQLite with synchronous FULL and group commit, 100,002 credentials; every call is decided, counted and logged.',
      'oidc-provider: SQLite with synchronous NORMAL, opaque tokens, one client from its configuration, no log.',
      'The bare endpoint: node:http, one client, and the same `tokens.mint` of the same store in a process of its own.',
    ],
  }
}
