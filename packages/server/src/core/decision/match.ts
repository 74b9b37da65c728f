import { ipInRanges } from '../../base/ip.ts'
import type { Address, Api, Declaration, Environment, Route } from '../apis/api.ts'
import { canonicalPath, pathFaults, rawPrefixLength } from '../apis/path.ts'
import { clientOf, type Client } from './client.ts'
import type { Refusal } from './evaluation.ts'
import type { RequestFacts } from './facts.ts'
import { refuse } from './refuse.ts'
import { shown, type Trail } from './trail.ts'

/** What the request is addressed to. Fields are filled as far as matching came. */
export interface Match {
  readonly client: Client
  readonly refusal: Refusal | null
  readonly api: Api | null
  readonly route: Route | null
  /** Raw query with its `?`; '' where there is none. */
  readonly query: string
  readonly prefixLength: number
  /** Fixed by the address; null where one address serves both. */
  readonly environment: Environment | null
  /** Fixed by the address; null where one address serves all regions. */
  readonly region: string | null
  /** Why an unmatched path is refused once the credential was found good: route_unknown or method_not_allowed. */
  readonly unmatched: Refusal | null
}

/** Stage 1: transport, API, path, route. */
export function match(facts: RequestFacts, declaration: Declaration, trail: Trail): Match {
  const client = clientOf(facts, declaration.transport)

  const secure =
    facts.plainOnTls !== true && (client.secure || ipInRanges(client.ip, declaration.transport.plainHttpFrom))
  if (!trail.add('transport', secure, () => spoken(facts, client), 'insecure_transport')) {
    const target = canonicalPath(facts.target)
    const address = addressOf(facts, declaration, target.ok ? target.path : '/')
    return stopped(client, refuse('insecure_transport'), {
      api: address?.api ?? null,
      query: target.ok ? target.query : '',
    })
  }

  const target = canonicalPath(facts.target)
  const path = target.ok ? target.path : (target.raw?.path ?? '/')
  const address = addressOf(facts, declaration, path)
  const api = facts.api === undefined ? (address?.api ?? null) : (declaration.apis.get(facts.api) ?? null)
  if (!trail.add('api', api !== null, () => facts.api ?? `host ${shown(facts.host)}`, 'api_unknown') || api === null) {
    return stopped(client, refuse('api_unknown'))
  }

  const prefix = address?.prefix ?? ''
  const at = {
    api,
    environment: address?.environment ?? null,
    region: address?.region ?? null,
    prefixLength: prefix === '' ? 0 : target.ok ? rawPrefixLength(facts.target, prefix) : prefix.length,
    query: target.ok ? target.query : (target.raw?.query ?? ''),
  }
  const inner = path.slice(prefix.length) || '/'
  const method = facts.method
  const routeMatch = target.ok
    ? api.routes.match(method, inner)
    : target.raw === null
      ? null
      : api.routes.matchRaw(method, inner)
  const canonical = target.ok || routeMatch?.methodMatched === true
  if (!trail.add('path', canonical, () => (target.ok ? 'canonical' : pathFaults[target.fault]), 'path_not_canonical')) {
    return stopped(
      client,
      refuse('path_not_canonical', { hint: target.ok ? null : `${capital(pathFaults[target.fault])}.` }),
      at,
    )
  }

  if (routeMatch?.methodMatched === true) {
    trail.add('route', true, () => `${routeMatch.route.id} (${routeMatch.route.pattern})`, 'route_unknown')
    return matched(client, at, routeMatch.route, null)
  }
  trail.skip('route', () => (routeMatch === null ? 'no route for the path' : 'no route for the method'))
  const unmatched =
    api.unmatched === 'forward'
      ? null
      : routeMatch === null
        ? refuse('route_unknown')
        : refuse('method_not_allowed', { allowMethods: routeMatch.allow })
  return matched(client, at, api.unmatchedRoute, unmatched)
}

type Found = Omit<Match, 'client' | 'refusal'>

const nothing: Found = {
  api: null,
  route: null,
  query: '',
  prefixLength: 0,
  environment: null,
  region: null,
  unmatched: null,
}

function stopped(client: Client, refusal: Refusal, found: Partial<Found> = {}): Match {
  return { client, ...nothing, ...found, refusal }
}

/** Field by field, in one literal: this is the hot path, and every match has the same hidden class. */
function matched(
  client: Client,
  at: Pick<Match, 'api' | 'environment' | 'region' | 'prefixLength' | 'query'>,
  route: Route,
  unmatched: Refusal | null,
): Match {
  const { api, environment, region, prefixLength, query } = at
  return { client, api, route, query, prefixLength, environment, region, unmatched, refusal: null }
}

/** `verify` names the API; an address given beside it counts only where it is that API's. */
function addressOf(facts: RequestFacts, declaration: Declaration, path: string): Address | null {
  const address = declaration.addresses.find(facts.host, facts.localPort, path)
  return facts.api !== undefined && address?.api.id !== facts.api ? null : address
}

function spoken({ plainOnTls }: RequestFacts, { secure }: Client): string {
  if (plainOnTls === true) return 'plain HTTP to a listener that speaks TLS'
  return secure ? 'HTTPS' : 'plain HTTP'
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
