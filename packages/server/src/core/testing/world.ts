import { type FixedClock, fixedClock } from '../../base/clock.ts'
import { type Ip, parseIp } from '../../base/ip.ts'
import type { Declaration } from '../apis/api.ts'
import { Decider } from '../decision/decider.ts'
import type { Evaluation, Standing } from '../decision/evaluation.ts'
import type { RequestFacts } from '../decision/facts.ts'
import type { Freshness, TokenParts } from '../decision/resolve.ts'
import { FailureBudget } from '../limits/failure-budget.ts'
import { Limiter } from '../limits/limiter.ts'
import type { AccountRecord, CredentialRecord, ProjectRecord } from '../records/record.ts'
import { RecordTable } from '../records/table.ts'
import { aDeclaration, gatewayPort } from './declaration.ts'
import { aCredential, anAccount, aProject, aSecret, changes } from './records.ts'
import { tokenParts } from './tokens.ts'

/** When everything happens unless said otherwise. */
export const noon = Date.parse('2026-11-23T12:00:00Z')

/** A secret of no brand, so that the checksum has no say. */
export const theSecret = 'secret-of-the-shop'

/** Header lines from pairs: `lines(['X-Api-Key', 'a'], …)`. */
export function lines(...pairs: readonly (readonly [string, string])[]): string[] {
  return pairs.flat()
}

export interface Sent extends Partial<Omit<RequestFacts, 'peer' | 'headers'>> {
  readonly peer?: string
  readonly headers?: readonly string[]
}

export interface World {
  readonly clock: FixedClock
  readonly table: RecordTable
  readonly limiter: Limiter
  readonly decider: Decider
  readonly tokens: TokenParts
  /** `GET /v1/orders/7` over HTTPS with `theSecret` in X-Api-Key, where nothing else is said. */
  request(sent?: Sent): RequestFacts
  /** Decides at once, traced; nothing is charged. */
  evaluate(sent?: Sent, whole?: boolean): Evaluation
  /** The code of the refusal, or `allowed`. */
  code(sent?: Sent): string
  /** As the gateway does: decides, then charges in the same turn. */
  serve(sent?: Sent): { readonly evaluation: Evaluation; readonly standing: Standing }
  reload(declaration: Declaration): void
}

/** The shop with one live credential that may read orders; everything of it can be replaced. */
export function aWorld(
  parts: {
    readonly declaration?: Declaration
    readonly credential?: Partial<CredentialRecord>
    readonly account?: Partial<AccountRecord>
    readonly project?: Partial<ProjectRecord>
    readonly others?: readonly CredentialRecord[]
    readonly freshness?: Freshness
    readonly tokens?: Partial<TokenParts>
  } = {},
): World {
  let declaration = parts.declaration ?? aDeclaration()
  const clock = fixedClock(noon)
  const table = new RecordTable()
  const limiter = new Limiter(table)
  const credential = aCredential({ secrets: [aSecret(theSecret)], createdAt: noon - 1000, ...parts.credential })
  table.apply(
    changes({
      accounts: [anAccount(parts.account)],
      projects: [aProject(parts.project)],
      credentials: [credential, ...(parts.others ?? [])],
    }),
  )
  const freshness = parts.freshness ?? alwaysFresh
  const tokens = tokenParts(table, parts.tokens)
  const decider = new Decider({
    declaration: () => declaration,
    table,
    limiter,
    failures: new FailureBudget(),
    freshness,
    tokens,
  })
  const request = (sent: Sent = {}): RequestFacts => ({
    method: 'GET',
    target: '/v1/orders/7',
    host: 'shop.example.com',
    localPort: gatewayPort,
    encrypted: true,
    now: clock.now(),
    monotonic: clock.monotonic(),
    ...sent,
    headers: sent.headers ?? lines(['X-Api-Key', theSecret]),
    peer: address(sent.peer ?? '203.0.113.7'),
  })
  const evaluate = (sent?: Sent, whole = true): Evaluation => {
    const evaluation = decider.evaluate(request(sent), whole)
    if (evaluation instanceof Promise) throw new TypeError('this request has to wait')
    return evaluation
  }
  return {
    clock,
    table,
    limiter,
    decider,
    tokens,
    request,
    evaluate,
    code: (sent) => {
      const { allowed, refusal } = evaluate(sent)
      return allowed ? 'allowed' : (refusal?.code ?? 'preflight')
    },
    serve: (sent) => {
      const evaluation = evaluate(sent, false)
      return { evaluation, standing: decider.charge(evaluation, request(sent)) }
    },
    reload: (next) => {
      declaration = next
    },
  }
}

const alwaysFresh: Freshness = { isFresh: () => true, catchUp: () => null }

export function address(text: string): Ip {
  const ip = parseIp(text)
  if (ip === null) throw new RangeError(`"${text}" is not an address`)
  return ip
}
