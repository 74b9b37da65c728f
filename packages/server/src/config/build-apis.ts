import type { ConfigApi, ConfigFile } from '@postern/contract'

import { managementApiId } from '../core/accounts/account.ts'
import type { Api, Preset } from '../core/apis/api.ts'
import { type ImpliedScopes, impliedScopes } from '../core/apis/implied-scopes.ts'
import { defaultMemberScopes, memberRoles } from '../core/people/member.ts'
import { llmPresetId, presets } from '../presets/index.ts'
import { buildLlm, llmPresetOf } from './build-llm.ts'
import { buildOAuth, checkResources } from './build-oauth.ts'
import { buildPlaces } from './build-places.ts'
import { buildRoutes, type Routes } from './build-routes.ts'
import { buildUpstreamCredentials } from './build-upstream-credentials.ts'
import { buildUpstreams } from './build-upstreams.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { checkId, isScopeName } from './names.ts'
import { readDocument } from './openapi/document.ts'
import { noOpenapi, operationsOf } from './openapi/operations.ts'
import { didYouMean } from './shape.ts'

export function buildApis(
  written: NonNullable<ConfigFile['apis']>,
  { maxBodyBytes, publicUrl }: { readonly maxBodyBytes: number; readonly publicUrl: string },
  context: Context,
): ReadonlyMap<string, Api> {
  const apis = new Map<string, Api>()
  for (const [id, api] of Object.entries(written)) {
    const path = ['apis', id]
    checkId(path, id, context)
    if (id === managementApiId)
      context.report.error(path, 'is the name of the management API itself; choose another', 'key')
    apis.set(id, buildApi(id, api, { maxBodyBytes, publicUrl }, context))
  }
  checkResources(written, apis, context)
  return apis
}

function buildApi(
  id: string,
  written: ConfigApi,
  { maxBodyBytes, publicUrl }: { readonly maxBodyBytes: number; readonly publicUrl: string },
  context: Context,
): Api {
  const path = ['apis', id]
  const preset = presetOf(written, path, context)
  const { upstreams, basePath } = buildUpstreams(id, written, context)
  const file = readDocument(written.openapi, [...path, 'openapi'], context)
  const openapi = file === null ? noOpenapi : operationsOf(file, basePath, context)
  const scopes = buildScopes(written, { ...preset.scopes, ...openapi.scopes }, path, context)
  const caseInsensitivePaths = written.case_insensitive_paths ?? false
  const routes = buildRoutes(id, written, { preset, openapi, scopes, caseInsensitivePaths, maxBodyBytes }, context)
  const any = routes.table.routes.length > 0
  checkInjection(written, routes, path, context)
  if (!any && written.unmatched === 'refuse') {
    context.report.error([...path, 'unmatched'], 'refuses every request, because no route is declared')
  }
  return {
    id,
    index: context.indexes.ofApi(id),
    preset,
    upstreams,
    upstreamCredentials: buildUpstreamCredentials(written, preset, upstreams, path, context),
    identityHeaders: written.identity_headers ?? preset.llm === null,
    llm: buildLlm(written.llm, preset, [...path, 'llm'], context),
    oauth: buildOAuth(id, written.oauth, { preset, publicUrl }, context),
    places: buildPlaces(written.credentials, preset, [...path, 'credentials'], context),
    scopes,
    implies: buildImplies(written, preset, scopes, path, context),
    roles: buildRoles(written, preset, scopes, path, context),
    memberScopes: buildMemberScopes(written, scopes, path, context),
    routes: routes.table,
    unmatchedRoute: routes.unmatched,
    unmatched: written.unmatched ?? (any ? preset.unmatched : 'forward'),
    caseInsensitivePaths,
    retired: written.retired ?? false,
  }
}

/** Two credentials for one upstream: which one was meant must not be guessed. */
function checkInjection(written: ConfigApi, routes: Routes, path: Path, { report }: Context): void {
  const connected = [routes.unmatched, ...routes.table.routes].some(({ connection }) => connection !== null)
  if (!connected || written.upstream_credential === undefined) return
  report.error([...path, 'upstream_credential'], 'is not possible beside "connection": a request carries one of them')
}

function presetOf(written: ConfigApi, path: Path, context: Context): Preset {
  return written.llm === undefined
    ? namedPreset(written, path, context)
    : llmPresetOf(written.llm, written.preset, path, context)
}

function namedPreset(written: ConfigApi, path: Path, { report }: Context): Preset {
  const [generic] = presets
  if (generic === undefined) throw new Error('There is no preset')
  const id = written.preset ?? generic.id
  const found = presets.find((preset) => preset.id === id)
  if (found !== undefined) return found
  if (id === llmPresetId) {
    report.error([...path, 'preset'], 'needs to know the provider: write llm: {provider: openai}')
    return generic
  }
  const ids = presets.map((preset) => preset.id)
  report.error([...path, 'preset'], `no preset "${id}"; there are ${ids.join(', ')}${didYouMean(id, ids)}`)
  return generic
}

function buildScopes(
  written: ConfigApi,
  declared: Readonly<Record<string, string>>,
  path: Path,
  { report }: Context,
): ReadonlyMap<string, string> {
  const scopes = new Map(Object.entries(declared))
  for (const [name, scope] of Object.entries(written.scopes ?? {})) {
    if (!isScopeName(name)) {
      report.error([...path, 'scopes', name], 'a scope has no spaces, quotes, backslashes or "*" in its name', 'key')
    }
    scopes.set(name, typeof scope === 'string' ? scope : scope.description)
  }
  return scopes
}

/** What the operator says of a scope stands instead of what the preset says. */
function buildImplies(
  written: ConfigApi,
  preset: Preset,
  scopes: ReadonlyMap<string, string>,
  path: Path,
  context: Context,
): ImpliedScopes {
  const direct = new Map(Object.entries(preset.includes))
  for (const [name, scope] of Object.entries(written.scopes ?? {})) {
    if (typeof scope === 'string' || scope.includes === undefined) continue
    const at = [...path, 'scopes', name, 'includes']
    checkScopes(scope.includes, scopes, at, context)
    if (scope.includes.includes(name)) context.report.error(at, 'a scope includes itself anyway')
    direct.set(name, scope.includes)
  }
  return impliedScopes(direct)
}

function buildRoles(
  written: ConfigApi,
  preset: Preset,
  scopes: ReadonlyMap<string, string>,
  path: Path,
  context: Context,
): ReadonlyMap<string, readonly string[]> {
  for (const [role, names] of Object.entries(written.roles ?? {})) {
    checkScopes(names, scopes, [...path, 'roles', role], context, '*')
  }
  return new Map(Object.entries({ ...preset.roles, ...written.roles }))
}

function buildMemberScopes(
  written: ConfigApi,
  scopes: ReadonlyMap<string, string>,
  path: Path,
  context: Context,
): Api['memberScopes'] {
  const declared = written.member_scopes ?? {}
  for (const role of memberRoles) {
    checkScopes(declared[role] ?? [], scopes, [...path, 'member_scopes', role], context, '*')
  }
  return { ...defaultMemberScopes, ...declared }
}

function checkScopes(
  names: readonly string[],
  scopes: ReadonlyMap<string, string>,
  path: Path,
  { report }: Context,
  all?: '*',
): void {
  for (const [index, scope] of names.entries()) {
    if (scope === all || scopes.has(scope)) continue
    report.error([...path, index], `"${scope}" is not a declared scope${didYouMean(scope, [...scopes.keys()])}`)
  }
}
