import type { Clock } from '../base/clock.ts'
import { formatIp } from '../base/ip.ts'
import { bootstrapCredentialId } from './accounts/bootstrap.ts'
import type { ExposurePolicy } from './apis/api.ts'
import type { Provenance } from './audit/event.ts'
import { withoutKeys } from './credentials/masking.ts'
import { headerValue } from './decision/headers.ts'
import type { Principal } from './records/principal.ts'
import type { ApplyChanges, MeterEntry } from './runtime.ts'
import type { Store } from './store.ts'

/** Real credentials that came over plain HTTP: each is marked, its owner told by an event, and revoked where declared. */
export interface Exposures {
  /** Takes note of a request that was refused for it. Memory only; the store hears of it afterwards. */
  note(entry: MeterEntry): void
  /** What was noted so far is written. */
  settled(): Promise<void>
}

export interface ExposureParts {
  readonly store: {
    readonly credentials: Pick<Store['credentials'], 'markExposed' | 'markTokenExposed' | 'setState'>
    readonly tokens: Pick<Store['tokens'], 'revoke'>
    readonly accounts: Pick<Store['accounts'], 'find'>
  }
  readonly apply: ApplyChanges
  readonly clock: Clock
  /** What is declared for an account's plan. */
  readonly policyOf: (plan: string | null) => ExposurePolicy
  readonly reportFault: (event: string, error: unknown) => void
}

/** A secret that goes on being sent is an event once a day; whoever holds a real one can cause no more writes. */
const againMs = 86_400_000
/** After a fault of the store. */
const retryMs = 5_000
const waitingMax = 1_000
const rememberedMax = 10_000

export function createExposures({ store, apply, clock, policyOf, reportFault }: ExposureParts): Exposures {
  /** By secret or token: until when, monotonic, it is known already. */
  const known = new Map<string, number>()
  const waiting: Sighting[] = []
  let writing: Promise<void> | null = null

  const write = async ({ principal, by }: Sighting): Promise<void> => {
    const { credential: id, secret, token, account } = principal
    const marked =
      secret === null
        ? await store.credentials.markTokenExposed({ id, token, by })
        : await store.credentials.markExposed({ id, secret, againMs, by })
    if (marked.ok) apply(marked.value.changes, marked.value.sequence)
    const owner = await store.accounts.find({ id: account })
    if (policyOf(owner?.plan ?? null) === 'flag') return
    if (secret === null) return await endToken(token, by)
    const change = { to: 'revoked', reason: 'came over plain HTTP', hide: false } as const
    const revoked = await store.credentials.setState({ id, scope: null, change, by })
    if (revoked.ok) apply(revoked.value.changes, revoked.value.sequence)
  }
  /** Its credential goes on: nothing of that was seen. A token of another issuer can be ended there alone. */
  const endToken = async (token: string | null, by: Provenance): Promise<void> => {
    if (token === null) return
    const ended = await store.tokens.revoke({ token: { id: token }, client: null, scope: null, by })
    if (ended.ok) apply(ended.value.changes, ended.value.sequence)
  }
  const writeAll = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      try {
        await write(next)
      } catch (error) {
        known.set(nameOf(next.principal), clock.monotonic() + retryMs)
        reportFault('credential.exposed', error)
      }
    }
    writing = null
  }
  return {
    note: (entry) => {
      const principal = entry.evaluation.exposed
      // The first management credential of the environment is in no store.
      if (principal === null || principal.credential === bootstrapCredentialId) return
      const now = clock.monotonic()
      const name = nameOf(principal)
      if ((known.get(name) ?? -1) > now || waiting.length >= waitingMax) return
      if (known.size >= rememberedMax) forgetOldest(known)
      known.delete(name)
      known.set(name, now + againMs)
      waiting.push({ principal, by: provenanceOf(entry) })
      writing ??= writeAll()
    },
    settled: async () => {
      await writing
    },
  }
}

function nameOf({ secret, token, credential }: Principal): string {
  return secret ?? token ?? `foreign ${credential}`
}

interface Sighting {
  readonly principal: Principal
  readonly by: Provenance
}

function provenanceOf({ evaluation, facts, requestId }: MeterEntry): Provenance {
  const userAgent = withoutKeys(headerValue(facts.headers, 'user-agent') ?? '').slice(0, 512) || null
  return {
    actor: { kind: 'system', id: 'gateway' },
    at: facts.now,
    ip: formatIp(evaluation.clientIp),
    userAgent,
    requestId,
  }
}

/** A map keeps the order of insertion. */
function forgetOldest(known: Map<string, number>): void {
  const [oldest] = known.keys()
  if (oldest !== undefined) known.delete(oldest)
}
