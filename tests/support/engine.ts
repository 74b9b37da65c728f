import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { randomBase62 } from '../../packages/server/src/base/base62.ts'
import { fixedClock, type FixedClock } from '../../packages/server/src/base/clock.ts'
import { sha256 } from '../../packages/server/src/base/digest.ts'
import { createIds } from '../../packages/server/src/base/ids.ts'
import { parseIp } from '../../packages/server/src/base/ip.ts'
import { systemRandom } from '../../packages/server/src/base/random.ts'
import type { Result } from '../../packages/server/src/base/result.ts'
import { loadConfigText } from '../../packages/server/src/config/load.ts'
import { managementApiId } from '../../packages/server/src/core/accounts/account.ts'
import { withOperator } from '../../packages/server/src/core/accounts/operator.ts'
import type { Provenance } from '../../packages/server/src/core/audit/event.ts'
import { makeToken } from '../../packages/server/src/core/credentials/format.ts'
import type { OAuthClient } from '../../packages/server/src/core/credentials/oauth-client.ts'
import { createDataPlane } from '../../packages/server/src/core/data-plane.ts'
import type { Evaluation } from '../../packages/server/src/core/decision/evaluation.ts'
import type { RequestFacts } from '../../packages/server/src/core/decision/facts.ts'
import { Feed } from '../../packages/server/src/core/feed/feed.ts'
import { GrantTable } from '../../packages/server/src/core/grants/grant-table.ts'
import { Limiter } from '../../packages/server/src/core/limits/limiter.ts'
import { consoleRoutes } from '../../packages/server/src/core/oauth/console-routes.ts'
import type { EndpointRequest } from '../../packages/server/src/core/oauth/endpoint.ts'
import { RecordTable } from '../../packages/server/src/core/records/table.ts'
import type { Store } from '../../packages/server/src/core/store.ts'
import type { Committed, WriteRefusal } from '../../packages/server/src/core/store.ts'
import { noJwts } from '../../packages/server/src/core/tokens/no-jwts.ts'
import { TokenCache } from '../../packages/server/src/core/tokens/token-cache.ts'
import { UsageRecorder } from '../../packages/server/src/core/usage/recorder.ts'
import { oauthPages } from '../../packages/server/src/oauth/console-pages.ts'
import { createOAuth, type OAuth } from '../../packages/server/src/oauth/oauth.ts'
import { generic } from '../../packages/server/src/presets/generic.ts'
import { createKeyFiles, openStore } from '../../packages/server/src/store/index.ts'
import { encoded, type Form } from './oauth.ts'

/**
 * The engine on a real store, without a listener: for what is easier to see from inside (who consents is for the pages
 * of another part), and for many calls at once.
 */
export interface Engine {
  readonly store: Store
  readonly clock: FixedClock
  readonly oauth: OAuth
  readonly issuer: string
  /** A request to an endpoint of the console, decided on as the console does. */
  request(method: string, target: string, form?: Form, headers?: Readonly<Record<string, string>>): EndpointRequest
  post(path: string, form: Form): Promise<EngineAnswer>
  /** As another node of the same database sees the world now. */
  catchUp(): Promise<void>
  stop(): Promise<void>
}

export interface EngineAnswer {
  readonly status: number
  // Tests look into answers of many shapes; each asserts what it reads.
  readonly body: ReturnType<JSON['parse']>
  header(name: string): string | null
  readonly evaluation: Evaluation
}

const declared = `
version: 1
brand: acme
public_url: https://id.example.com
apis:
  shop:
    address: shop.example.com
    upstream: http://127.0.0.1:3000
    oauth: {resources: ["https://shop.example.com"]}
    scopes: {orders.read: Read orders, orders.write: Change orders, stock.read: Read stock}
  stock:
    address: stock.example.com
    upstream: http://127.0.0.1:3001
    oauth: {access_token: jwt, resources: ["https://stock.example.com"]}
    scopes: {stock.read: Read stock}
plans:
  pro: {apis: [shop, stock], kinds: [secret, oauth_client]}
`

export async function startEngine(
  options: { readonly url?: string; readonly clock?: FixedClock; readonly keys?: string } = {},
): Promise<Engine> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-engine-'))
  const clock = options.clock ?? fixedClock(Date.UTC(2026, 5, 1))
  const ids = createIds(clock, systemRandom)
  const config = loadConfigText(declared, { env: {}, file: join(folder, 'postern.yaml') })
  if (!config.ok) throw new Error(JSON.stringify(config.error))
  const declaration = withOperator(
    config.value.declaration,
    generic,
    consoleRoutes(oauthPages(config.value.declaration)),
  )
  const url = options.url ?? 'sqlite'
  const store = await openStore({ url, dataFolder: join(folder, 'data'), checkpointsFolder: folder, clock })
  const table = new RecordTable()
  const tokens = { cache: new TokenCache(), grants: new GrantTable(table) }
  const feed = new Feed({
    records: store.records,
    table,
    tokens: { ...tokens, store: store.tokens },
    clock,
    alone: store.kind === 'sqlite',
    staleAfterMs: () => 30_000,
    credentialsMax: 10_000,
    onError: (error) => {
      throw error
    },
  })
  await feed.start()
  const dataPlane = createDataPlane({
    declaration: () => declaration,
    table,
    limiter: new Limiter(table),
    freshness: feed,
    tokens: { ...tokens, loads: feed.tokens, jwts: noJwts },
    recorder: new UsageRecorder({ node: 'test', countryOf: () => 'ZZ', queueMax: () => 9, refusalsPerSecond: () => 9 }),
    clock,
    onExposed: () => {},
  })
  const oauth = createOAuth({
    declaration: () => declaration,
    clients: dataPlane.clients,
    liveTokens: dataPlane.liveTokens,
    tokens: store.tokens,
    grants: store.grants,
    grantRecord: (input) => store.records.grant(input),
    nameOf: async ({ id }) => (await store.credentials.find({ id, scope: null }))?.name ?? null,
    apply: (changes, sequence) => feed.applyOwn(changes, sequence),
    minted: (minted) => feed.tokens.minted(minted),
    signingKeys: createKeyFiles(options.keys ?? join(folder, 'keys'), systemRandom).tokens,
    clock,
    random: systemRandom,
    ids,
  })
  const request: Engine['request'] = (method, target, form, headers = {}) => {
    const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
    const facts: RequestFacts = {
      method,
      target,
      host: 'id.example.com',
      localPort: 443,
      headers: Object.entries({ host: 'id.example.com', ...type, ...headers }).flat(),
      peer: parseIp('203.0.113.7') ?? 0,
      encrypted: true,
      now: clock.now(),
      monotonic: clock.monotonic(),
      api: managementApiId,
    }
    const matched = dataPlane.evaluate(facts, false)
    if (matched instanceof Promise) throw new TypeError('matching does not wait')
    return { facts, matched, body: Buffer.from(form === undefined ? '' : encoded(form)), requestId: ids.next('req') }
  }
  return {
    store,
    clock,
    oauth,
    issuer: declaration.publicUrl,
    request,
    post: async (path, form) => {
      const endpoint = oauth.onConsole(path)
      if (endpoint === null) throw new Error(`nothing at ${path}`)
      const { answer, evaluation } = await endpoint(request('POST', path, form))
      return { ...answer, header: (name) => headerOf(answer.headers, name), body: parsed(answer.body), evaluation }
    },
    catchUp: async () => void (await feed.poll()),
    stop: async () => {
      feed.stop()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function headerOf(lines: readonly string[], name: string): string | null {
  const at = lines.findIndex((line, i) => i % 2 === 0 && line.toLowerCase() === name)
  return at === -1 ? null : (lines[at + 1] ?? null)
}

function parsed(text: string): unknown {
  return text === '' ? null : JSON.parse(text)
}

// ---- people and clients ----------------------------------------------------------------------------------

export interface World {
  readonly account: string
  readonly project: string
  readonly user: string
  readonly member: string
}

/** An account with a project, and an owner of it who can consent. */
export async function aWorld({ store, clock }: Engine): Promise<World> {
  const id = randomBase62(8, systemRandom)
  const [account, project, user, member] = [`acc_${id}`, `prj_${id}`, `usr_${id}`, `mem_${id}`]
  const by = provenance(clock)
  done(
    await store.accounts.create({
      account: { id: account, name: 'Acme', plan: 'pro', overrides: null, metadata: {} },
      project: {
        id: project,
        name: 'default',
        environment: 'live',
        region: null,
        ipAllow: [],
        metadata: {},
        credentials: [],
      },
      by,
    }),
  )
  const digest = sha256(`invitation ${id}`)
  const invitation = {
    id: `inv_${id}`,
    account,
    email: `${id.toLowerCase()}@example.com`,
    role: 'owner',
    expiresAt: clock.now() + 1000,
  } as const
  done(await store.people.invite({ invitation, digest, by }))
  const newUser = { name: 'Ada', passwordHash: 'never compared' }
  const accepted = done(await store.people.acceptInvitation({ digest, member, user, newUser, by }))
  return { account, project, user: accepted.user, member: accepted.id }
}

export interface EngineClient extends OAuthClient {
  readonly id: string
  readonly clientId: string
  readonly secret: string
}

export const redirectUri = 'https://app.example/cb'

/** A confidential client for people on the API `shop`, where nothing else is said. */
export async function aClient(
  engine: Engine,
  { account, project }: Pick<World, 'account' | 'project'>,
  terms: Partial<OAuthClient> & {
    readonly apis?: readonly string[]
    readonly scopes?: readonly string[]
    readonly ipAllow?: readonly string[]
  } = {},
): Promise<EngineClient> {
  const clientId = randomBase62(12, systemRandom)
  const oauth: OAuthClient = {
    type: terms.type ?? 'confidential',
    grantTypes: terms.grantTypes ?? ['authorization_code', 'refresh_token'],
    redirectUris: terms.redirectUris ?? [redirectUri],
  }
  const secret =
    oauth.type === 'public' ? '' : makeToken({ brand: 'acme', token: 'client_secret', random: systemRandom }).reveal()
  const { store, clock } = engine
  const created = await store.credentials.create({
    account,
    project,
    credential: {
      id: `cred_${clientId}`,
      publicId: clientId,
      form: 'key',
      kind: 'oauth_client',
      apis: terms.apis ?? ['shop'],
      name: 'The App',
      scopes: terms.scopes ?? ['orders.read', 'orders.write'],
      role: null,
      ipAllow: terms.ipAllow ?? [],
      originAllow: null,
      limits: [],
      llm: null,
      oauth,
      notBefore: null,
      expiresAt: null,
      primary: false,
      metadata: {},
      secret:
        secret === ''
          ? null
          : {
              id: `sec_${createHash('sha256').update(secret).digest('hex').slice(0, 32)}`,
              digest: sha256(secret),
              hint: null,
              origin: 'first',
              sealed: null,
            },
    },
    maxKeys: null,
    by: provenance(clock),
  })
  done(created)
  await engine.catchUp()
  return { id: `cred_${clientId}`, clientId, secret, ...oauth }
}

export function proof({ clientId, secret }: EngineClient): Form {
  return secret === '' ? { client_id: clientId } : { client_id: clientId, client_secret: secret }
}

export const verifier = 'a-verifier-of-forty-three-characters-0123456789'
export const challenge = createHash('sha256').update(verifier).digest('base64url')

/** The parameters of an authorization request that is right. */
export function asking(client: EngineClient, more: Form = {}): Form {
  return {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: client.redirectUris[0],
    state: 'a state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...more,
  }
}

/** A person agrees to all that is asked for; the code that the browser is sent back with. */
export async function consent(engine: Engine, client: EngineClient, world: World, more: Form = {}): Promise<string> {
  const read = await engine.oauth.authorization.read(
    engine.request('GET', `/oauth/authorize?${encoded(asking(client, more))}`),
  )
  if (!read.ok) throw new Error(JSON.stringify(read.error))
  const { user, account, project } = world
  const approval = { user, account, project, scopes: read.value.scopes }
  const by = { ...provenance(engine.clock), actor: { kind: 'user', id: user } } as const
  const approved = await engine.oauth.authorization.approve(read.value, approval, by)
  if (!approved.ok) throw new Error(JSON.stringify(approved.error))
  return new URL(headerOf(approved.value.answer.headers, 'location') ?? '').searchParams.get('code') ?? ''
}

export function redemption(client: EngineClient, code: string, more: Form = {}): Form {
  return {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUris[0],
    code_verifier: verifier,
    ...proof(client),
    ...more,
  }
}

export function provenance(clock: FixedClock): Provenance {
  return { actor: { kind: 'system', id: 'test' }, at: clock.now(), ip: null, userAgent: null, requestId: null }
}

export function done<Value>(result: Result<Committed<Value>, WriteRefusal>): Value {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value.value
}
