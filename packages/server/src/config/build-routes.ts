import { METHODS } from 'node:http'

import type { ConfigApi, ConfigRoute } from '@postern/contract'

import { sizeBytes } from '../base/units.ts'
import type { Preset, Route, RouteTable, ScopeRule, Timeouts } from '../core/apis/api.ts'
import type { RequestContract } from '../core/apis/request-contract.ts'
import { type RouteConflict, createRouteTable, parsePattern, patternsMeet } from '../core/apis/route-table.ts'
import { opaque, runsNoModel, type LlmOperation } from '../core/llm/provider.ts'
import { buildConnection } from './build-connections.ts'
import { buildMaintenance } from './build-maintenance.ts'
import { endpointsOf } from './build-oauth.ts'
import { buildLimits, positiveMs } from './build-plans.ts'
import type { Context } from './context.ts'
import type { Path } from './issue.ts'
import { checkUnique } from './names.ts'
import { createContracts } from './openapi/contracts.ts'
import { noteDrift } from './openapi/drift.ts'
import type { Openapi, Operation } from './openapi/operations.ts'
import { didYouMean } from './shape.ts'

export interface ApiParts {
  readonly preset: Preset
  readonly openapi: Openapi
  readonly scopes: ReadonlyMap<string, string>
  readonly caseInsensitivePaths: boolean
  readonly maxBodyBytes: number
}

export interface Routes {
  readonly table: RouteTable
  readonly unmatched: Route
}

/** The operator's routes first, then the operations of the OpenAPI file, then the preset's. */
export function buildRoutes(api: string, written: ConfigApi, parts: ApiParts, context: Context): Routes {
  const path = ['apis', api]
  const own = written.routes ?? []
  checkUnique(
    own.map(({ id }) => id),
    (index) => [...path, 'routes', index, 'id'],
    'a route',
    context,
  )
  const given = givenRoutes(parts, [...path, 'openapi'], context)
  const defaults = defaultsOf(written, parts, path, context)
  const replaced = new Set(own.map(({ id }) => id))
  const drafts = [
    ...own.map((route, index) => ownDraft(route, given.get(route.id), defaults, [...path, 'routes', index], context)),
    ...[...given.values()].filter(({ id }) => !replaced.has(id)).map((base) => ({ ...defaults, ...base })),
    ...localDrafts(written, parts.preset, defaults, path),
  ].filter((draft) => draft !== null)
  if (parts.openapi.file !== null) {
    const presetRoutes = new Set(parts.preset.routes.map(({ id }) => id))
    noteDrift(own, byId(parts.openapi.operations), presetRoutes, [...path, 'routes'], context)
  }
  const good = drafts.filter((draft) => checkDraft(draft, parts.scopes, context))
  checkPresetPaths(
    good.filter(({ local }) => local === null),
    parts,
    context,
  )
  const shadowed = checkLocalPaths(good, parts, context)
  const contracts = parts.openapi.file === null ? null : createContracts(parts.openapi.file)
  const routes = (shadowed ? good.filter(({ local }) => local === null) : good).map((draft) => ({
    ...numbered(draft, api, context),
    contract: contractOf(draft, written, contracts, context),
  }))
  const table = createRouteTable(routes, { caseInsensitive: parts.caseInsensitivePaths })
  if (!table.ok) reportConflict(table.error, good, context)
  return {
    table: table.ok ? table.value : emptyTable,
    unmatched: numbered({ ...defaults, id: unmatchedId, methods: [], pattern: '/**' }, api, context),
  }
}

function numbered(draft: Draft, api: string, { indexes }: Context): Route {
  const { from: _from, at: _at, operation: _operation, validated: _validated, ...route } = draft
  return { ...route, index: indexes.ofRoute(api, draft.id) }
}

/** What the request is held against; null where nobody asked for it, or where it cannot be had and why is reported. */
function contractOf(
  { operation, validated, from, at }: Draft,
  written: ConfigApi,
  contracts: ReturnType<typeof createContracts> | null,
  { report }: Context,
): RequestContract | null {
  if (!validated) return null
  if (operation === null || contracts === null) {
    const asked = from === 'own' && written.validate === undefined
    if (asked) report.error([...at, 'validate'], 'needs an operation of the OpenAPI document with the same id')
    return null
  }
  const contract = contracts(operation)
  if (contract.ok) return contract.value
  report.add([operation.error(`cannot be validated: ${contract.error}`)])
  return null
}

function byId(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  return new Map(operations.map((operation) => [operation.id, operation]))
}

/** No id that a route can have. */
const unmatchedId = '(unmatched)'

const emptyTable: RouteTable = { routes: [], match: () => null, matchRaw: () => null }

/** A route before it has its number, and where it was written. */
interface Draft extends Omit<Route, 'index'> {
  readonly from: 'own' | 'openapi' | 'preset'
  readonly at: Path
  /** The operation of the OpenAPI document that it is. */
  readonly operation: Operation | null
  readonly validated: boolean
}

/** What a preset or an OpenAPI file says about a route. */
type Given = Pick<Draft, 'id' | 'title' | 'methods' | 'pattern' | 'scopes' | 'from' | 'at' | 'operation'> &
  Partial<Pick<Draft, 'clientSide' | 'llm'>>

function givenRoutes({ preset, openapi }: ApiParts, at: Path, { report }: Context): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>()
  for (const operation of openapi.operations) {
    const { id, title, methods, pattern, scopes } = operation
    given.set(id, { id, title, methods, pattern, scopes, from: 'openapi', at, operation })
  }
  for (const { id, methods, path: pattern, scopes, clientSide, llm = null } of preset.routes) {
    if (given.has(id)) report.error(at, `the operation "${id}" has the id of a route of the preset ${preset.id}`)
    const place = { from: 'preset', at: at.slice(0, -1), operation: null } as const
    given.set(id, { id, title: null, methods, pattern, scopes, clientSide, llm, ...place })
  }
  return given
}

function defaultsOf(
  written: ConfigApi,
  parts: ApiParts,
  path: Path,
  context: Context,
): Omit<Draft, 'id' | 'methods' | 'pattern'> {
  return {
    scopes: { any: [], all: [] },
    clientSide: written.client_side ?? false,
    cost: 1,
    limits: [],
    rawPath: false,
    onStale: written.on_stale ?? 'refuse',
    onRevoke: written.on_revoke ?? 'close',
    timeouts: buildTimeouts(
      written.timeouts,
      parts.preset.llm === null ? defaultTimeouts : modelTimeouts,
      [...path, 'timeouts'],
      context,
    ),
    bodyBytesMax:
      written.body_max === undefined
        ? Math.max(parts.maxBodyBytes, parts.preset.llm === null ? 0 : modelBodyBytesMax)
        : sizeBytes(written.body_max),
    llm: parts.preset.llm === null ? null : opaque,
    local: null,
    headerBytesMax: written.headers_max === undefined ? null : sizeBytes(written.headers_max),
    maintenance: buildMaintenance(written.maintenance, null, [...path, 'maintenance'], context),
    title: null,
    contract: null,
    operation: null,
    validated: written.validate ?? false,
    connection: buildConnection(written.connection, null, [...path, 'connection'], context),
    from: 'own',
    at: path,
  }
}

const defaultTimeouts: Timeouts = { connectMs: 5_000, firstByteMs: 60_000, idleMs: 120_000, totalMs: null }
/** A model may think for minutes before its first byte. */
const modelTimeouts: Timeouts = { connectMs: 5_000, firstByteMs: 600_000, idleMs: 300_000, totalMs: null }
/** Pictures and documents travel in requests. */
const modelBodyBytesMax = 32 * 1_024 ** 2

function buildTimeouts(written: ConfigApi['timeouts'], base: Timeouts, path: Path, context: Context): Timeouts {
  const ms = <Otherwise>(field: keyof NonNullable<typeof written>, otherwise: Otherwise): number | Otherwise => {
    const text = written?.[field]
    return text === undefined ? otherwise : positiveMs(text, [...path, field], context)
  }
  return {
    connectMs: ms('connect', base.connectMs),
    firstByteMs: ms('first_byte', base.firstByteMs),
    idleMs: ms('idle', base.idleMs),
    totalMs: ms('total', base.totalMs),
  }
}

function ownDraft(
  written: ConfigRoute,
  given: Given | undefined,
  defaults: Omit<Draft, 'id' | 'methods' | 'pattern'>,
  at: Path,
  context: Context,
): Draft | null {
  const pattern = written.path ?? given?.pattern
  if (pattern === undefined) {
    context.report.error(at, '"path" is missing: no operation and no route of the preset has this id')
    return null
  }
  const base = { ...defaults, methods: [], ...given }
  checkMethods(written.methods ?? [], [...at, 'methods'], context)
  const limits = buildLimits(written.limits ?? [], [...at, 'limits'], context)
  checkUnique(
    limits.map(({ name }) => name),
    (index) => [...at, 'limits', index, 'name'],
    'a limit',
    context,
  )
  return {
    id: written.id,
    pattern,
    methods: [...new Set(written.methods ?? base.methods)],
    scopes: written.scopes === undefined ? base.scopes : ruleOf(written.scopes),
    clientSide: written.client_side ?? base.clientSide,
    cost: written.cost ?? base.cost,
    limits,
    rawPath: written.raw_path ?? base.rawPath,
    onStale: written.on_stale ?? base.onStale,
    onRevoke: written.on_revoke ?? base.onRevoke,
    timeouts: buildTimeouts(written.timeouts, base.timeouts, [...at, 'timeouts'], context),
    bodyBytesMax: written.body_max === undefined ? base.bodyBytesMax : sizeBytes(written.body_max),
    headerBytesMax: written.headers_max === undefined ? base.headerBytesMax : sizeBytes(written.headers_max),
    maintenance: buildMaintenance(written.maintenance, base.maintenance, [...at, 'maintenance'], context),
    title: base.title,
    contract: null,
    operation: base.operation,
    validated: written.validate ?? base.validated,
    connection: buildConnection(written.connection, base.connection, [...at, 'connection'], context),
    llm: ownOperation(written, base, at, context),
    local: null,
    from: 'own',
    at,
  }
}

/** Reading runs no model; of anything else it has to be said. */
function ownOperation(
  written: ConfigRoute,
  { llm, methods }: Pick<Draft, 'llm' | 'methods'>,
  at: Path,
  { report }: Context,
): LlmOperation | null {
  if (llm === null) {
    if (written.runs_model !== undefined) report.error([...at, 'runs_model'], 'is for routes of an API with "llm"')
    return null
  }
  if (written.runs_model === false) return runsNoModel
  const reads = [...new Set(written.methods ?? methods)]
  const onlyReads = reads.length > 0 && reads.every((method) => method === 'GET' || method === 'HEAD')
  return onlyReads && written.runs_model !== true ? runsNoModel : llm
}

/** Of another method no request arrives: it would be refused before it is a request. */
function checkMethods(methods: readonly string[], at: Path, { report }: Context): void {
  for (const [index, method] of methods.entries()) {
    if (served.includes(method)) continue
    report.error([...at, index], `no request with the method "${method}" is served${didYouMean(method, served)}`)
  }
}

/** TRACE would show the caller what the gateway adds, and CONNECT asks for a tunnel: both are refused. */
const served = METHODS.filter((method) => method !== 'TRACE' && method !== 'CONNECT')

function ruleOf({ any = [], all = [] }: NonNullable<ConfigRoute['scopes']>): ScopeRule {
  return { any, all }
}

function checkDraft(draft: Draft, scopes: ReadonlyMap<string, string>, context: Context): boolean {
  const { report } = context
  for (const kind of ['any', 'all'] as const) {
    for (const [index, scope] of draft.scopes[kind].entries()) {
      if (scopes.has(scope)) continue
      const what = `"${scope}" is not a declared scope${didYouMean(scope, [...scopes.keys()])}`
      if (draft.from === 'own' && draft.operation?.scopes !== draft.scopes) {
        report.error([...draft.at, 'scopes', kind, index], what)
      } else tell(draft, `needs a scope that is not declared: ${what}`, context)
    }
  }
  const pattern = parsePattern(draft.pattern)
  if (pattern.ok) return true
  tell(draft, pattern.error, context)
  return false
}

/** At the operator's own path, or in the document where the operation stands. */
function tell({ from, at, id, pattern, operation }: Draft, message: string, { report }: Context): void {
  if (from === 'own') report.error([...at, 'path'], message)
  else if (operation === null) report.error(at, `the operation "${id}" (${pattern}): ${message}`)
  else report.add([operation.error(`the operation "${id}" (${pattern}): ${message}`)])
}

/**
 * Paths that a preset names are its own: a route beside them would change who may do what without anyone seeing
 * it. What a preset says of the whole API ("/**") names no path, and gives way to every route.
 */
function checkPresetPaths(drafts: readonly Draft[], parts: ApiParts, { report }: Context): void {
  const named = drafts.filter(({ from, pattern }) => from === 'preset' && pattern !== '/**')
  const inPlace = ({ id, pattern }: Draft) =>
    parts.preset.routes.some((route) => route.id === id && route.path === pattern)
  for (const draft of drafts.filter((each) => each.from !== 'preset' && !inPlace(each))) {
    const other = named.find(
      (preset) => methodsMeet(preset, draft) && patternsMeet(preset.pattern, draft.pattern, parts.caseInsensitivePaths),
    )
    if (other === undefined) continue
    const whose = draft.from === 'own' ? '' : `the operation "${draft.id}" (${draft.pattern}) `
    report.error(
      draft.from === 'own' ? [...draft.at, 'path'] : draft.at,
      `${whose}overlaps ${other.pattern}, the preset's route "${other.id}"; to replace that one, use its id`,
    )
  }
}

/** Endpoints of our own: every method comes to them, so that they can say which one they serve. */
function localDrafts(
  written: ConfigApi,
  preset: Preset,
  defaults: Omit<Draft, 'id' | 'methods' | 'pattern'>,
  path: Path,
): readonly Draft[] {
  return endpointsOf(written.oauth, preset).map(({ id, path: pattern, endpoint, dialect }) => ({
    ...defaults,
    clientSide: false,
    validated: false,
    connection: null,
    maintenance: null,
    id,
    methods: [],
    pattern,
    local: { endpoint, dialect },
    from: 'preset',
    at: written.oauth?.paths === undefined ? path : [...path, 'oauth', 'paths'],
  }))
}

/**
 * A route at the path of one of our endpoints would never be reached, or would take requests for tokens elsewhere. What
 * a route says of everything below a path ("/v1/**") gives way to it, as to every path that is named.
 */
function checkLocalPaths(drafts: readonly Draft[], parts: ApiParts, { report }: Context): boolean {
  const { caseInsensitivePaths } = parts
  let shadowed = false
  const local = drafts.filter((draft) => draft.local !== null)
  for (const endpoint of local) {
    if (/[{*]/.test(endpoint.pattern))
      report.error(endpoint.at, `${endpoint.pattern} must be a path without parameters`)
    for (const draft of drafts) {
      if (draft === endpoint) continue
      if (draft.id === endpoint.id) report.error(draft.at, `"${draft.id}" is the name of an endpoint for tokens`)
      if (
        (draft.pattern.endsWith('/**') && draft.local === null) ||
        !patternsMeet(draft.pattern, endpoint.pattern, caseInsensitivePaths)
      )
        continue
      shadowed = true
      const whose = draft.from === 'own' ? '' : `"${draft.id}" (${draft.pattern}) `
      report.error(
        draft.from === 'own' ? [...draft.at, 'path'] : draft.at,
        `${whose}overlaps ${endpoint.pattern}, where Postern serves "${endpoint.id}"; oauth.paths can move that`,
      )
    }
  }
  return shadowed
}

function methodsMeet(a: Draft, b: Draft): boolean {
  return a.methods.length === 0 || b.methods.length === 0 || a.methods.some((method) => b.methods.includes(method))
}

function reportConflict({ first, second, method }: RouteConflict, drafts: readonly Draft[], { report }: Context): void {
  const draft = drafts.find(({ id }) => id === second.id)
  const what = method === null ? 'every method' : method
  report.error(
    draft?.from === 'own' ? [...draft.at, 'path'] : (draft?.at ?? []),
    `the routes "${first.id}" (${first.pattern}) and "${second.id}" (${second.pattern}) are equal for ${what}`,
  )
}
