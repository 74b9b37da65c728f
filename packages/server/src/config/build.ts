import type { ConfigFile } from '@postern/contract'

import { Secret } from '../base/secret.ts'
import { durationMs } from '../base/units.ts'
import type { Declaration } from '../core/apis/api.ts'
import { buildAddresses } from './build-addresses.ts'
import { buildApis } from './build-apis.ts'
import { buildIssuers } from './build-issuers.ts'
import { buildListen, buildPeers } from './build-listen.ts'
import { buildPlans } from './build-plans.ts'
import { buildRegions } from './build-regions.ts'
import { buildTls } from './build-tls.ts'
import { noteUncovered } from './certificate-cover.ts'
import type { AccessLogConfig, Config, Retention, StoreConfig } from './config.ts'
import { type Context, secretValue } from './context.ts'
import { freeze } from './freeze.ts'
import type { Env } from './source.ts'

export interface BuildContext extends Context {
  readonly file: string
  readonly env: Env
  /** Epoch ms; null: certificates are not judged by time. */
  readonly now: number | null
}

/** From the file's values to what the product works with. Null where an error prevents it. */
export function buildConfig(written: ConfigFile, context: BuildContext): Config | null {
  const { report, files, indexes } = context
  checkBrands(written, context)
  const listen = buildListen(written.listen ?? {}, context)
  const tls = buildTls(written.listen?.tls, context, context.now)
  const publicUrl = buildPublicUrl(written, listen.console.port, tls?.listeners.includes('console') === true, context)
  const allowedPrivate = buildPeers(written.connections?.allow_private ?? [], ['connections', 'allow_private'], context)
  const store = buildStore(written.store?.url ?? 'sqlite', context)
  const managementKey = buildManagementKey(context)
  const apis = buildApis(written.apis ?? {}, { maxBodyBytes: listen.maxBodyBytes, publicUrl }, context)
  const plans = buildPlans(written.plans ?? {}, apis, context)
  const addresses = buildAddresses(written.apis ?? {}, apis, listen, context)
  const geoip = buildGeoip(written.geoip, context)
  const regions = buildRegions(written, context)
  const issuers = buildIssuers(written.issuers ?? {}, apis, publicUrl, context)
  if (store === null || addresses === null || report.errors.length > 0) return null
  if (tls !== null) noteUncovered(tls, addresses.places, publicUrl, context)
  const declaration: Declaration = {
    brand: written.brand,
    formerBrands: written.former_brands ?? [],
    publicUrl,
    apis,
    plans,
    addresses: addresses.table,
    regions,
    transport: {
      trustedProxies: buildPeers(written.listen?.trusted_proxies ?? [], ['listen', 'trusted_proxies'], context),
      plainHttpFrom: buildPeers(
        written.listen?.plain_http_from ?? ['loopback'],
        ['listen', 'plain_http_from'],
        context,
      ),
    },
    failures: { attempts: written.failures?.attempts ?? 30, windowMs: durationMs(written.failures?.window ?? '1m') },
    issuers,
  }
  if (report.errors.length > 0) return null
  return freeze({
    file: context.file,
    declaration,
    listen: { ...listen, own: addresses.own, tls },
    data: files.resolve(written.data ?? './data'),
    keys: files.resolve(written.keys ?? './keys'),
    store,
    geoip,
    maxCredentials: written.memory?.max_credentials ?? 1_000_000,
    staleAfterMs: durationMs(written.stale_after ?? '30s'),
    retention: buildRetention(written.retention ?? {}),
    accessLog: buildAccessLog(written.log ?? {}, context),
    requestLog: {
      refusalsPerSecondPerIp: written.request_log?.refusals_per_second_per_ip ?? 10,
      queue: written.request_log?.queue ?? 100_000,
    },
    managementKey,
    onExposed: written.on_exposed ?? 'flag',
    allowedPrivate,
    shutdown: {
      delayMs: durationMs(written.shutdown?.delay ?? '0s'),
      graceMs: durationMs(written.shutdown?.grace ?? '30s'),
    },
    retiredScopes: retiredScopes(written),
    notes: report.notes,
    fingerprint: files.fingerprint(),
    filesRead: [context.file, ...files.paths()],
    nextIndex: indexes.next(),
  })
}

function buildAccessLog(written: NonNullable<ConfigFile['log']>, { files }: Context): AccessLogConfig | null {
  const { access = 'off', one_in: oneIn = 1 } = written
  return access === 'off' ? null : { file: access === 'stdout' ? null : files.resolve(access), oneIn }
}

function checkBrands(written: ConfigFile, { report }: Context): void {
  const former = written.former_brands ?? []
  for (const [index, brand] of former.entries()) {
    if (brand === written.brand) report.error(['former_brands', index], 'is the brand in use, not a former one')
    if (former.indexOf(brand) < index) report.error(['former_brands', index], 'stands here twice')
  }
}

/** Kept byte for byte: it is the issuer that clients compare (RFC 8414, section 3.3). */
function buildPublicUrl(written: ConfigFile, consolePort: number, overTls: boolean, { report }: Context): string {
  const text = written.public_url ?? `${overTls ? 'https' : 'http'}://localhost:${consolePort}`
  const url = URL.parse(text)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    report.error(['public_url'], 'must be a URL that begins with https:// or http://')
  } else if (url.username !== '' || url.search !== '' || url.hash !== '' || /[?#]/.test(text)) {
    report.error(['public_url'], 'must have no user, query or fragment (RFC 8414, section 2)')
  } else if (url.protocol === 'http:' && !/^(localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/.test(url.hostname)) {
    report.error(
      ['public_url'],
      'must be https:// unless its host is localhost or a loopback address: it is where people sign in and tokens are issued',
    )
  }
  return text
}

function buildStore(text: string, context: Context): StoreConfig | null {
  const value = secretValue(text, ['store', 'url'], context)
  if (value === null) return null
  if (value === 'sqlite') return { kind: 'sqlite' }
  const url = URL.parse(value)
  if (url !== null && /^postgres(ql)?:$/.test(url.protocol)) return { kind: 'postgres', url: new Secret(value) }
  // The value is not repeated: it may hold a password.
  context.report.error(['store', 'url'], 'must be sqlite or a URL that begins with postgres://')
  return null
}

function buildGeoip(path: string | undefined, { report, files }: Context): string | null {
  if (path === undefined) return null
  const fault = files.fault(path)
  if (fault !== null) report.error(['geoip'], fault)
  return files.resolve(path)
}

const managementKeyLengthMin = 32

function buildManagementKey({ env, report, file }: BuildContext): Secret | null {
  const key = env['POSTERN_MANAGEMENT_KEY']
  if (key === undefined || key === '') return null
  if (key.length >= managementKeyLengthMin && /^[!-~]+$/.test(key)) return new Secret(key)
  const message = `POSTERN_MANAGEMENT_KEY must be at least ${managementKeyLengthMin} printable characters without spaces`
  report.add([{ file, line: null, column: null, path: '', message }])
  return null
}

function retiredScopes(written: ConfigFile): readonly string[] {
  const scopes = Object.values(written.apis ?? {}).flatMap((api) => Object.entries(api.scopes ?? {}))
  return scopes.filter(([, scope]) => typeof scope !== 'string' && scope.retired === true).map(([name]) => name)
}

function buildRetention(written: NonNullable<ConfigFile['retention']>): Retention {
  const events = written.events ?? 'forever'
  return {
    requestsMs: durationMs(written.requests ?? '90d'),
    minutesMs: durationMs(written.minutes ?? '48h'),
    hoursMs: durationMs(written.hours ?? '90d'),
    daysMs: durationMs(written.days ?? '760d'),
    eventsMs: events === 'forever' ? null : durationMs(events),
  }
}
