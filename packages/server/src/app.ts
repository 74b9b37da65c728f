import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

import { randomBase62 } from './base/base62.ts'
import type { Clock } from './base/clock.ts'
import { createIds } from './base/ids.ts'
import type { Random } from './base/random.ts'
import { fail, ok, type Result } from './base/result.ts'
import type { Secret } from './base/secret.ts'
import type { Config, Socket } from './config/config.ts'
import { socketsOf } from './config/listen.ts'
import { orphans } from './config/orphans.ts'
import { operatorAccountId } from './core/accounts/account.ts'
import { bootstrapRecord, ensureManagementKey, ensureOperatorAccount } from './core/accounts/bootstrap.ts'
import { withOperator } from './core/accounts/operator.ts'
import type { Declaration } from './core/apis/api.ts'
import { everyUpstream } from './core/apis/regions.ts'
import { allEvents } from './core/audit/all-events.ts'
import { CheckpointWriter, readCheckpoints } from './core/audit/checkpoint-file.ts'
import { verifyAudit } from './core/audit/verify.ts'
import { createConnectionTable } from './core/connections/table.ts'
import { createDataPlane } from './core/data-plane.ts'
import { createExposures } from './core/exposures.ts'
import { Feed } from './core/feed/feed.ts'
import { GrantTable } from './core/grants/grant-table.ts'
import { Housekeeping } from './core/housekeeping.ts'
import { createIssuers } from './core/issuers/verifier.ts'
import { Limiter } from './core/limits/limiter.ts'
import { consoleRoutes } from './core/oauth/console-routes.ts'
import { RecordTable } from './core/records/table.ts'
import type { ApplyChanges, MeterEntry } from './core/runtime.ts'
import type { Store } from './core/store.ts'
import { TokenCache } from './core/tokens/token-cache.ts'
import { UsageRecorder } from './core/usage/recorder.ts'
import { createForwardAuth } from './gateway/forward-auth/forward-auth.ts'
import { isQuestion } from './gateway/forward-auth/question.ts'
import { createGateway } from './gateway/gateway.ts'
import { createIdentity, identityPages } from './identity/identity.ts'
import type { Log } from './log.ts'
import { createManagement } from './management/app.ts'
import { oauthPages } from './oauth/console-pages.ts'
import { createOAuth } from './oauth/oauth.ts'
import { type AccessLog, createAccessLog } from './ops/access-log.ts'
import { openCountries } from './ops/countries.ts'
import { createMetrics } from './ops/metrics.ts'
import { createOps, type Ops } from './ops/ops.ts'
import { noPassedSockets, type PassedSockets } from './ops/passed-sockets.ts'
import { busyPorts, type BusyPort } from './ops/ports.ts'
import { createOutbound, type OutboundOptions } from './outbound/client.ts'
import { generic } from './presets/generic.ts'
import { descriptorOf, hostText, misfitOf, onOneAddress, withDescriptor } from './sockets.ts'
import { acquireDataLock, createKeyFiles, openStore, type DataLock, type LockOwner } from './store/index.ts'
import { watchExpiry } from './tls/expiry.ts'
import { createTerminator } from './tls/terminator.ts'

export interface StartOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly version: string
  /** For tests: names and authorities of the world that is called into. */
  readonly outbound?: Pick<OutboundOptions, 'lookup' | 'ca'>
  /** Sockets that listen already; without them every address is bound. */
  readonly passed?: PassedSockets
}

export interface RunningServer {
  readonly config: () => Config
  /** The first management key where this start made it: to be printed once. */
  readonly madeManagementKey: Secret | null
  readonly managementKeyFile: string
  readonly consoleUrl: string
  /** Takes a new configuration into force, or says why not; all of it or nothing. */
  reload(next: Config): Promise<Result<null, readonly string[]>>
  /**
   * Says for `delayMs` that it is not ready, stops accepting, lets what is running end within `graceMs`, cuts the
   * rest, and writes what was counted.
   */
  stop(graceMs: number, delayMs?: number): Promise<void>
}

/** Everything that stands in the way, so that one message can name it all. Nothing was changed. */
export interface StartFailure {
  readonly busy: readonly BusyPort[]
  readonly locked: { readonly folder: string; readonly owner: LockOwner | null } | null
  /** Why a socket that was passed cannot be used, as a sentence. */
  readonly passed: string | null
}

/** File in the data folder that holds the first management key, mode 0600. */
export const managementKeyFile = 'management.key'

/** The composition root: the only place that knows every part. */
export async function startServer(config: Config, options: StartOptions): Promise<Result<RunningServer, StartFailure>> {
  const passed = options.passed ?? noPassedSockets
  const misfit = misfitOf(config, passed)
  if (misfit !== null) return fail({ busy: [], locked: null, passed: misfit })
  const claimed = await claim(config, passed, options.clock)
  if (!claimed.ok) return claimed
  try {
    return ok(await assemble(config, { ...options, passed }, claimed.value))
  } catch (error) {
    claimed.value?.release()
    throw error
  }
}

/** The data folder's lock and every port, before anything is written. PostgreSQL has its own locks. */
async function claim(
  config: Config,
  passed: PassedSockets,
  clock: Clock,
): Promise<Result<DataLock | null, StartFailure>> {
  const sockets = socketsOf(config)
  const busy = await busyPorts(sockets.filter((socket) => descriptorOf(config, passed, socket) === null))
  const lock =
    config.store.kind === 'sqlite'
      ? acquireDataLock(config.data, {
          started: clock.now(),
          addresses: sockets.map(({ host, port }) => `${host}:${port}`),
        })
      : ok(null)
  if (!lock.ok) return fail({ busy, locked: { folder: config.data, owner: lock.error.owner }, passed: null })
  if (busy.length === 0) return lock
  lock.value?.release()
  return fail({ busy, locked: null, passed: null })
}

async function assemble(
  first: Config,
  options: StartOptions & { readonly passed: PassedSockets },
  lock: DataLock | null,
): Promise<RunningServer> {
  const { clock, random, log, version } = options
  const at = (socket: Socket) => withDescriptor(first, options.passed, socket)
  let stopping = false
  const startedAt = clock.now()
  const node = `node_${randomBase62(8, random)}`
  const ids = createIds(clock, random)
  let config = first
  let declaration = inForce(first.declaration)
  const checkpointsFolder = join(config.data, 'checkpoints')

  const keyFiles = createKeyFiles(config.keys, random)
  keyFiles.sweep(clock.now())
  const store = await openStore({
    url: config.store.kind === 'sqlite' ? 'sqlite' : config.store.url.reveal(),
    dataFolder: config.data,
    checkpointsFolder,
    clock,
  })
  const reportFault = (event: string, error: unknown) => log.fault(event, {}, error)

  const outbound = createOutbound({ clock, ...options.outbound })
  const table = new RecordTable()
  const connections = createConnectionTable(keyFiles.connections, log.fault)
  const limiter = new Limiter(table)
  const alone = store.kind === 'sqlite'
  const tokens = { cache: new TokenCache(), grants: new GrantTable(table) }
  const feed = new Feed({
    records: store.records,
    table,
    connections,
    tokens: { ...tokens, store: store.tokens },
    clock,
    alone,
    staleAfterMs: () => config.staleAfterMs,
    credentialsMax: config.maxCredentials,
    onError: (error) => reportFault('feed.poll', error),
  })
  const bootstrap = {
    store,
    clock,
    ids,
    random,
    brand: config.declaration.brand,
    keep: (key: Secret) => writeKeyFile(join(config.data, managementKeyFile), key),
  }
  await ensureOperatorAccount(bootstrap)
  const madeManagementKey = config.managementKey === null ? await ensureManagementKey(bootstrap) : null
  await feed.start()
  const apply: ApplyChanges = (changes, sequence) => feed.applyOwn(changes, sequence)
  if (config.managementKey !== null)
    table.apply(bootstrapRecord(config.managementKey, await operatorProject(store), startedAt))
  store.listen(() => void feed.poll())

  const recorder = new UsageRecorder({
    node,
    countryOf: await openCountries(config.geoip),
    queueMax: () => config.requestLog.queue,
    refusalsPerSecond: () => config.requestLog.refusalsPerSecondPerIp,
  })
  const exposures = createExposures({
    store,
    apply,
    clock,
    policyOf: (plan) => declaration.plans.get(plan ?? '')?.onExposed ?? config.onExposed,
    reportFault,
  })
  const own = { issuer: () => declaration.publicUrl, keys: keyFiles.tokens }
  const issuers = createIssuers({ clock, random, outbound, tell: log.info, own })
  issuers.use(config.declaration.issuers)
  const dataPlane = createDataPlane({
    declaration: () => declaration,
    table,
    limiter,
    freshness: feed,
    tokens: { ...tokens, loads: feed.tokens, jwts: issuers },
    recorder,
    clock,
    onExposed: (entry) => exposures.note(entry),
  })
  const oauth = createOAuth({
    declaration: () => declaration,
    clients: dataPlane.clients,
    liveTokens: dataPlane.liveTokens,
    tokens: store.tokens,
    grants: store.grants,
    grantRecord: (input) => store.records.grant(input),
    nameOf: async ({ id }) => (await store.credentials.find({ id, scope: null }))?.name ?? null,
    apply,
    minted: (minted) => feed.tokens.minted(minted),
    signingKeys: keyFiles.tokens,
    clock,
    random,
    ids,
  })
  const identity = createIdentity({
    store,
    authorization: oauth.authorization,
    sealing: keyFiles.people,
    apply,
    declaration: () => declaration,
    clock,
    ids,
    random,
    reportFault: log.fault,
  })
  const signingKey = keyFiles.auditSigningKey()
  const checkpoints = new CheckpointWriter(checkpointsFolder, signingKey, node)
  const housekeeping = new Housekeeping({
    store,
    clock,
    limiter,
    recorder,
    table,
    connections,
    checkpoints,
    retention: () => config.retention,
    sweepKeys: (now) => {
      keyFiles.sweep(now)
      keyFiles.tokens.keep(now)
    },
    reportFault,
  })
  await housekeeping.loadQuotas()

  const tls = createTerminator({ clock, random })
  tls.prepare(config.listen.tls)()
  const certificates = () => config.listen.tls?.certificates ?? []
  const expiry = watchExpiry({ clock, certificates, tell: log.info })
  const access = createAccessLog({ clock, onFault: (error) => reportFault('access_log', error) })
  access.use(config.accessLog)
  const metrics = createMetrics({
    table,
    feed,
    recorder,
    clock,
    certificates,
    issuers: () => issuers.status(),
    targets: () => gateway.targets(),
    accessLog: access,
  })
  const observer = {
    decided: metrics.decided,
    ended: (entry: MeterEntry) => {
      metrics.ended(entry)
      access.ended(entry)
    },
  }
  const gateway = createGateway({
    dataPlane,
    connections,
    clock,
    ids,
    reportFault: log.fault,
    limits: wireLimits(config),
    endpointAt: (local) => oauth.at(local),
    observer,
    tls: tls.face('gateway'),
    onTargetChange: ({ change, ...fields }) => log.info(`upstream.target_${change}`, fields),
  })
  const useUpstreams = () =>
    gateway.useUpstreams([...config.declaration.apis.values()].flatMap((api) => everyUpstream(api.upstreams)))
  const forwardAuth = createForwardAuth({
    dataPlane,
    clock,
    ids,
    reportFault: log.fault,
    limits: wireLimits(config),
    observer,
  })
  const ops = createOps({
    metrics,
    ready: () => (stopping ? ['the server is stopping'] : readiness(feed, clock)),
    forwardAuth: { isQuestion, handle: forwardAuth.handle },
    tls: tls.face('ops'),
  })
  const management = await createManagement({
    store,
    dataPlane,
    apply,
    sealing: keyFiles,
    connections: keyFiles.connections,
    signingKeys: keyFiles.tokens,
    outbound,
    allowedPrivate: () => config.allowedPrivate,
    random,
    ids,
    clock,
    effectiveEverywhereBy: (now) => (alone ? now : effectiveEverywhereBy(now, config)),
    feed: () => ({ position: feed.position, stale: !feed.isFresh(clock.now(), clock.monotonic()) }),
    targets: () => gateway.targets(),
    issuers: () => issuers.status(),
    backupFolder: (name) => (alone ? join(config.data, 'backups', name) : null),
    endpoint: (path) => oauth.onConsole(path) ?? identity.onConsole(path),
    tls: tls.face('console'),
    verifyAudit: () => verifyAudit(allEvents(store.events), readCheckpoints(checkpointsFolder), signingKey),
    version,
    node,
    startedAt,
    reportFault: log.fault,
  })

  const listening = await gateway.listen([config.listen.gateway, ...config.listen.own].map(at))
  if (!listening.ok)
    throw new Error(`cannot listen on ${listening.error.map(({ host, port }) => `${host}:${port}`).join(', ')}`)
  await management.listen(onOneAddress(at(config.listen.console)))
  await ops.listen(at(config.listen.ops))
  await ops.listenForwardAuth(config.listen.forwardAuth === null ? null : at(config.listen.forwardAuth))
  useUpstreams()
  housekeeping.start()
  await housekeeping.closeWindows()
  await housekeeping.checkpoint()
  expiry.look()
  log.info('server.started', { node, credentials: table.size, store: store.kind })

  return {
    config: () => config,
    madeManagementKey,
    managementKeyFile: join(config.data, managementKeyFile),
    consoleUrl: `${tls.face('console').on() ? 'https' : 'http'}://${hostText(config.listen.console)}`,
    reload: async (next) => {
      const missing = orphans(config, next, await store.system.inUse())
      if (missing.length > 0) return fail(missing)
      const useTls = tls.prepare(next.listen.tls)
      const logged = useAccessLog(access, next)
      if (!logged.ok) return logged
      const moved = await moveForwardAuth(ops, next)
      if (!moved.ok) {
        useAccessLog(access, config)
        return moved
      }
      const listened = await gateway.update([next.listen.gateway, ...next.listen.own])
      if (!listened.ok) {
        useAccessLog(access, config)
        await moveForwardAuth(ops, config)
        return fail(listened.error.map(({ host, port }) => `cannot listen on ${host}:${port}`))
      }
      useTls()
      config = next
      expiry.look()
      declaration = inForce(next.declaration)
      issuers.use(next.declaration.issuers)
      useUpstreams()
      log.info('config.reloaded', { file: next.file })
      return ok(null)
    },
    stop: async (graceMs, delayMs = 0) => {
      stopping = true
      gateway.drain()
      if (delayMs > 0) await passing(clock, delayMs)
      await gateway.close(graceMs)
      forwardAuth.close()
      const cut = clock.after(graceMs, () => management.server.closeAllConnections())
      await management.close()
      cut.stop()
      await exposures.settled()
      await housekeeping.stop()
      feed.stop()
      issuers.stop()
      tls.stop()
      expiry.stop()
      await ops.close()
      await access.close()
      await store.close()
      lock?.release()
      log.info('server.stopped', { node })
    },
  }
}

function useAccessLog(access: AccessLog, { accessLog }: Config): Result<null, readonly string[]> {
  try {
    access.use(accessLog)
    return ok(null)
  } catch (error) {
    return fail([`the access log cannot be written: ${error instanceof Error ? error.message : String(error)}`])
  }
}

async function moveForwardAuth(ops: Ops, { listen }: Config): Promise<Result<null, readonly string[]>> {
  try {
    await ops.listenForwardAuth(listen.forwardAuth)
    return ok(null)
  } catch {
    return fail(listen.forwardAuth === null ? [] : [`cannot listen on ${hostText(listen.forwardAuth)}`])
  }
}

function inForce(declared: Declaration): Declaration {
  return withOperator(declared, generic, consoleRoutes([...oauthPages(declared), ...identityPages(declared)]))
}

function passing(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve)
  })
}

/** Null where a route serves stale records: then nothing can be promised (design, section 5). */
function effectiveEverywhereBy(now: number, config: Config): number | null {
  const servesStale = [...config.declaration.apis.values()].some((api) =>
    [api.unmatchedRoute, ...api.routes.routes].some((route) => route.onStale === 'serve'),
  )
  return servesStale ? null : now + config.staleAfterMs
}

function readiness(feed: Feed, clock: Clock): readonly string[] {
  return feed.isFresh(clock.now(), clock.monotonic())
    ? []
    : ['records are older than stale_after: the store does not answer']
}

async function operatorProject(store: Store): Promise<string> {
  const { items } = await store.projects.list({ account: operatorAccountId, scope: null, limit: 1, after: null })
  const [project] = items
  if (project === undefined) throw new Error('the operator has no project')
  return project.id
}

function wireLimits({ listen }: Config) {
  return {
    headerLinesMax: listen.maxHeaderLines,
    headBytesMax: listen.maxHeaderBytes,
    targetBytesMax: listen.maxTargetBytes,
    connectionsMax: listen.maxConnections,
    // Each carries one request of one client at a time: there is no use for more, and long answers need as many.
    connectionsPerUpstream: listen.maxConnections,
  }
}

/** Durable and whole or not there at all: written beside it, synced, renamed. */
function writeKeyFile(path: string, key: Secret): void {
  const fresh = `${path}.new`
  const file = openSync(fresh, 'w', 0o600)
  try {
    writeSync(file, `${key.reveal()}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(fresh, path)
}
