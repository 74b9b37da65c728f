import type { ConfigIssuer } from '@postern/contract'

import { ipInRanges, type IpRanges, parseIp } from '../base/ip.ts'
import { isPublicAddress } from '../base/public-address.ts'
import { durationMs } from '../base/units.ts'
import type { Api } from '../core/apis/api.ts'
import type { ClaimPath, Issuer, IssuerApi } from '../core/issuers/issuer.ts'
import { buildPeers } from './build-listen.ts'
import { positiveMs } from './build-plans.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { checkId, checkUnique } from './names.ts'
import { didYouMean } from './shape.ts'

export function buildIssuers(
  written: Readonly<Record<string, ConfigIssuer>>,
  apis: ReadonlyMap<string, Api>,
  publicUrl: string,
  context: Context,
): readonly Issuer[] {
  const entries = Object.entries(written)
  checkUnique(
    entries.map(([, { issuer }]) => issuer),
    (index) => ['issuers', entries[index]?.[0] ?? '', 'issuer'],
    'an issuer',
    context,
  )
  return entries.flatMap(([id, issuer]) => {
    const path = ['issuers', id]
    checkId(path, id, context)
    checkIssuer(issuer.issuer, publicUrl, [...path, 'issuer'], context)
    return buildIssuer(id, issuer, apis, path, context) ?? []
  })
}

function buildIssuer(
  id: string,
  written: ConfigIssuer,
  apis: ReadonlyMap<string, Api>,
  path: Path,
  context: Context,
): Issuer | null {
  const allowedPrivate = buildPeers(written.allow_private ?? [], [...path, 'allow_private'], context)
  const jwksUri = buildJwksUri(written.jwks_uri, allowedPrivate, [...path, 'jwks_uri'], context)
  const { scopes, roles } = written
  if (scopes === undefined && roles === undefined)
    context.report.note(path, 'says nothing of scopes or roles: its tokens may do only what needs no scope')
  const named = namedApis(written, apis, [...path, 'apis'], context)
  const audience = buildAudience(written, [...path, 'audience'], context)
  checkNames(scopes?.map, named, 'scope', [...path, 'scopes', 'map'], context)
  checkNames(roles?.map, named, 'role', [...path, 'roles', 'map'], context)
  const clockSkewMs = durationMs(written.clock_skew ?? '30s')
  if (clockSkewMs > clockSkewMaxMs) context.report.error([...path, 'clock_skew'], 'must not be longer than 5m')
  if (jwksUri === null) return null
  return {
    id,
    issuer: written.issuer,
    jwksUri,
    algorithms: new Set(written.algorithms),
    types: new Set(written.types ?? ['at+jwt']),
    credential: written.credential,
    apis: new Map(named.map((api) => [api.id, buildApi(api, written, audience(api.id))])),
    subject: claimPath(written.subject ?? 'sub'),
    scopesClaim: scopes === undefined ? null : claimPath(scopes.claim ?? 'scope'),
    rolesClaim: roles === undefined ? null : claimPath(roles.claim ?? 'roles'),
    requiredClaims: Object.entries(written.required_claims ?? {}).map(([claim, values]) => ({
      claim: [claim],
      values: new Set(typeof values === 'string' ? [values] : values),
    })),
    clockSkewMs,
    maxAgeMs: written.max_age === undefined ? null : positiveMs(written.max_age, [...path, 'max_age'], context),
    allowedPrivate,
  }
}

const clockSkewMaxMs = 300_000

/** Tokens are compared with it byte for byte, so it is kept as it is written. */
function checkIssuer(text: string, publicUrl: string, path: Path, { report }: Context): void {
  const url = URL.parse(text)
  if (url === null || !/^[!-~]+$/.test(text) || !isSecure(url))
    report.error(path, 'must be a URL that begins with https://; http:// is for a loopback address alone')
  else if (url.username !== '' || /[?#]/.test(text))
    report.error(path, 'must have no user, query or fragment (RFC 8414, section 2)')
  if (text === publicUrl) report.error(path, 'is public_url, our own issuer: its tokens are taken as they are')
}

function buildJwksUri(text: string, allowedPrivate: IpRanges, path: Path, { report }: Context): URL | null {
  const url = URL.parse(text)
  if (url === null || !isSecure(url)) {
    report.error(path, 'must be a URL that begins with https://; http:// is for a loopback address alone')
    return null
  }
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    report.error(path, 'must have no user and no fragment')
  const ip = parseIp(hostOf(url))
  const named = url.protocol === 'http:' && ip === null && allowedPrivate.v4.length + allowedPrivate.v6.length === 0
  if (named || (ip !== null && !isPublicAddress(ip) && !ipInRanges(ip, allowedPrivate)))
    report.error(path, 'is at an address that is not public; name it in allow_private of this issuer')
  return url
}

function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && /^(localhost|127\..*|::1)$/.test(hostOf(url)))
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** Those that are declared and take a JWT somewhere. */
function namedApis(
  written: ConfigIssuer,
  apis: ReadonlyMap<string, Api>,
  path: Path,
  context: Context,
): readonly Api[] {
  checkUnique(written.apis, (index) => [...path, index], 'an API', context)
  return written.apis.flatMap((id, index) => {
    const api = apis.get(id)
    if (api === undefined) {
      context.report.error([...path, index], `no API "${id}" is declared${didYouMean(id, [...apis.keys()])}`)
      return []
    }
    if (!api.places.some(({ accept }) => accept.includes('jwt')))
      context.report.error(
        [...path, index],
        `no place of the API "${id}" accepts a jwt; add {in: bearer, accept: [key, token, jwt]} to its credentials`,
      )
    return [api]
  })
}

/** One list for all of its APIs, or one for each of them. */
function buildAudience(written: ConfigIssuer, path: Path, { report }: Context): (api: string) => ReadonlySet<string> {
  const { audience, apis } = written
  if (isList(audience)) {
    if (apis.length > 1)
      report.note(
        path,
        'is the same for several APIs: a token for one is good at each; {API: [audience]} tells them apart',
      )
    const all = new Set(audience)
    return () => all
  }
  for (const api of Object.keys(audience))
    if (!apis.includes(api))
      report.error([...path, api], `"${api}" is not in apis of this issuer${didYouMean(api, apis)}`, 'key')
  for (const api of apis) if (!Object.hasOwn(audience, api)) report.error(path, `the API "${api}" has no audience here`)
  return (api) => new Set(audience[api])
}

// `Array.isArray` does not take a readonly list out of a union.
function isList(audience: ConfigIssuer['audience']): audience is string[] {
  return Array.isArray(audience)
}

type Mapping = NonNullable<ConfigIssuer['scopes']>['map']

/** What a claim may stand for has to be known to one of the issuer's APIs. */
function checkNames(map: Mapping, apis: readonly Api[], what: 'scope' | 'role', path: Path, { report }: Context): void {
  const known = apis.flatMap((api) => [...(what === 'scope' ? api.scopes : api.roles).keys()])
  for (const [value, names] of Object.entries(map ?? {})) {
    for (const name of namesOf(names)) {
      if ((what === 'scope' && name === '*') || known.includes(name)) continue
      report.error([...path, value], `"${name}" is not a declared ${what} of its APIs${didYouMean(name, known)}`)
    }
  }
}

function namesOf(names: string | readonly string[]): readonly string[] {
  return typeof names === 'string' ? [names] : names
}

function buildApi(api: Api, { scopes, roles }: ConfigIssuer, audience: ReadonlySet<string>): IssuerApi {
  const everyScope = [...api.scopes.keys()]
  const ofScope = (name: string) => (name === '*' ? everyScope : api.scopes.has(name) ? [name] : [])
  const ofRole = (name: string) => (api.roles.get(name) ?? []).flatMap(ofScope)
  return {
    audience,
    scopes: scopes === undefined ? new Map() : mapping(scopes.map, everyScope, ofScope),
    roles: roles === undefined ? new Map() : mapping(roles.map, [...api.roles.keys()], ofRole),
  }
}

/** Without a map a value stands for what has its name. */
function mapping(
  map: Mapping,
  names: readonly string[],
  scopesOf: (name: string) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const entries = map === undefined ? names.map((name) => [name, name] as const) : Object.entries(map)
  return new Map(entries.map(([value, to]) => [value, namesOf(to).flatMap(scopesOf)]))
}

function claimPath(claim: string | readonly string[]): ClaimPath {
  return typeof claim === 'string' ? [claim] : claim
}
