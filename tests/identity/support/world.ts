import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { TOTP } from 'otpauth'

import { fixedClock, type FixedClock } from '../../../packages/server/src/base/clock.ts'
import { createIds } from '../../../packages/server/src/base/ids.ts'
import { parseIp } from '../../../packages/server/src/base/ip.ts'
import { systemRandom } from '../../../packages/server/src/base/random.ts'
import { loadConfigText } from '../../../packages/server/src/config/load.ts'
import type { Declaration } from '../../../packages/server/src/core/apis/api.ts'
import type { Provenance } from '../../../packages/server/src/core/audit/event.ts'
import { newLinkSecret } from '../../../packages/server/src/core/people/link.ts'
import type { MemberRole } from '../../../packages/server/src/core/people/member.ts'
import type { Store } from '../../../packages/server/src/core/store.ts'
import { createIdentity } from '../../../packages/server/src/identity/identity.ts'
import type { IdentityParts } from '../../../packages/server/src/identity/parts.ts'
import { createKeyFiles, openStore } from '../../../packages/server/src/store/index.ts'
import { aPerson, type Person, type Shown } from './person.ts'

export const password = 'a wombat in violet velvet'

export interface World {
  readonly origin: string
  readonly clock: FixedClock
  readonly store: Store
  readonly declaration: Declaration
  readonly faults: readonly string[]
  /** Somebody with a browser of their own, from an address of their own where it is said. */
  person(from?: string): Person
  account(name: string): Promise<string>
  /** The secret of an invitation's link. */
  invite(account: string, email: string, role?: MemberRole): Promise<string>
  resetLink(email: string): Promise<string>
  /** Somebody who has joined the account and is signed in. */
  member(email: string, options?: { readonly account?: string; readonly role?: MemberRole }): Promise<Person>
  actions(): Promise<readonly string[]>
  stop(): Promise<void>
}

/** People's pages over real HTTP, with the real store and key files, on a clock that moves only when told. */
export async function startWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-people-'))
  const clock = fixedClock(Date.UTC(2026, 10, 23, 12))
  const ids = createIds(clock, systemRandom)
  const store = await openStore({
    url: 'sqlite',
    dataFolder: join(folder, 'data'),
    checkpointsFolder: join(folder, 'data'),
    clock,
  })
  const server = createServer()
  await new Promise<void>((listening) => {
    server.listen(0, '127.0.0.1', listening)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const config = loadConfigText(declared.replace('ORIGIN', origin), { env: {}, file: join(folder, 'postern.yaml') })
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  const { declaration } = config.value
  const faults: string[] = []
  const identity = createIdentity({
    store,
    authorization: nobodyAsks,
    sealing: createKeyFiles(join(folder, 'keys'), systemRandom).people,
    apply: () => {},
    declaration: () => declaration,
    clock,
    ids,
    random: systemRandom,
    reportFault: (event, fields, error) => void faults.push(`${event} ${JSON.stringify(fields)} ${String(error)}`),
  })
  server.on('request', (req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      const facts = {
        method: req.method ?? '',
        target: req.url ?? '',
        host: req.headers.host ?? '',
        localPort: 0,
        headers: req.rawHeaders,
        peer: parseIp(req.socket.remoteAddress ?? '') ?? 0,
        encrypted: false,
        now: clock.now(),
        monotonic: clock.monotonic(),
      }
      identity
        .endpoint({ facts, body: Buffer.concat(chunks), requestId: ids.next('req'), matched: {} as never })
        .then(({ answer }) => res.writeHead(answer.status, [...answer.headers]).end(answer.body))
        .catch((error: unknown) => {
          faults.push(String(error))
          res.writeHead(500).end()
        })
    })
  })
  const by = (): Provenance => ({
    actor: { kind: 'system', id: 'tests' },
    at: clock.now(),
    ip: null,
    userAgent: null,
    requestId: null,
  })
  const account: World['account'] = async (name) => {
    const id = ids.next('acc')
    const project = {
      id: ids.next('prj'),
      name: 'default',
      environment: 'live' as const,
      region: null,
      ipAllow: [],
      metadata: {},
      credentials: [],
    }
    const made = await store.accounts.create({
      account: { id, name, plan: 'pro', overrides: null, metadata: {} },
      project,
      by: by(),
    })
    if (!made.ok) throw new Error(JSON.stringify(made.error))
    return id
  }
  const invite: World['invite'] = async (accountId, email, role = 'developer') => {
    const { secret, digest } = newLinkSecret(systemRandom)
    const invitation = { id: ids.next('inv'), account: accountId, email, role, expiresAt: clock.now() + 7 * 86_400_000 }
    const made = await store.people.invite({ invitation, digest, by: by() })
    if (!made.ok) throw new Error(JSON.stringify(made.error))
    return secret.reveal()
  }
  const person: World['person'] = (from) =>
    aPerson(origin, {
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
      ...(from !== undefined && { 'x-forwarded-for': from, 'x-forwarded-proto': 'https' }),
    })
  return {
    origin,
    clock,
    store,
    declaration,
    faults,
    person,
    account,
    invite,
    resetLink: async (email) => {
      const proofs = await store.people.proofsOf({ email })
      const { secret, digest } = newLinkSecret(systemRandom)
      const offered = { user: proofs?.user.id ?? '', id: ids.next('rst'), digest, expiresAt: clock.now() + 3_600_000 }
      const made = await store.people.offerReset({ ...offered, by: by() })
      if (!made.ok) throw new Error(JSON.stringify(made.error))
      return secret.reveal()
    },
    member: async (email, options = {}) => {
      const joined = person()
      const link = await invite(options.account ?? (await account('Acme')), email, options.role)
      const welcome = await joined.get(`/invitation/${link}`)
      const answer = await joined.submit(welcome, { name: 'Ada Lovelace', password, repeated: password })
      if (answer.location !== '/me?done=joined') throw new Error(answer.words)
      return joined
    },
    actions: async () => (await store.events.range({ after: 0, limit: 1000 })).map(({ action }) => action),
    stop: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Signs in with e-mail address and password; answers what came of it. */
export async function signIn(person: Person, email: string, secret = password, way = '/me'): Promise<Shown> {
  const page = await person.get(`/sign-in?continue=${encodeURIComponent(way)}`)
  return await person.submit(page, { email, password: secret })
}

/** Sets up a second factor; answers its key and the recovery codes. */
export async function setUpFactor(person: Person, world: World): Promise<{ key: string; recoveryCodes: string[] }> {
  const page = await person.get('/me/second-factor')
  const key = (/<code[^>]*>([A-Z2-7 ]+)<\/code>/.exec(page.text)?.[1] ?? '').replaceAll(' ', '')
  const done = await person.submit(page, { code: codeOf(key, world) })
  const recoveryCodes = [...done.text.matchAll(/<code>([0-9a-z-]{19})<\/code>/g)].map(([, code = '']) => code)
  return { key, recoveryCodes }
}

export function codeOf(key: string, { clock }: World): string {
  return new TOTP({ secret: key }).generate({ timestamp: clock.now() })
}

/** Clients that ask for access need the whole server: `startWhole`. */
const nobodyAsks: IdentityParts['authorization'] = {
  read: () => Promise.reject(new Error('nobody asks for access here')),
  approve: () => Promise.reject(new Error('nobody asks for access here')),
  refuse: () => {
    throw new Error('nobody asks for access here')
  },
}

const declared = `
version: 1
brand: acme
public_url: ORIGIN
listen: {gateway: 127.0.0.1:8080, console: 127.0.0.1:8081, ops: 127.0.0.1:8082, trusted_proxies: [loopback]}
apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:3000
    scopes: {orders.read: Read orders, orders.write: Change orders}
plans:
  pro: {apis: [shop]}
`
