import type { wire } from '@postern/contract'

import type { Client } from '../client/client.ts'
import { RefusedByServer } from '../client/problem.ts'
import { readState, writeState, type DemoState, type HeldCredential } from './state.ts'
import { throwAway, wanted, type ThrowAwayName, type Wanted, type WantedName } from './wanted.ts'

export interface Provisioned {
  readonly account: string
  readonly credentials: Readonly<Record<WantedName | ThrowAwayName, HeldCredential>>
  /** What was made anew since the last start, and why. */
  readonly notes: readonly string[]
}

/** Sees to it that all that the printed lines use is there and works. A client of /api/v1 like any other. */
export async function provision(api: Client, dataFolder: string): Promise<Provisioned> {
  const notes: string[] = []
  let state = await ensureAccount(api, readState(dataFolder), notes)
  const keep = (name: string, held: HeldCredential): HeldCredential => {
    state = { ...state, credentials: { ...state.credentials, [name]: held } }
    writeState(dataFolder, state)
    return held
  }
  writeState(dataFolder, state)
  const ensure = async (name: WantedName): Promise<HeldCredential> => {
    const held = state.credentials[name]
    const fault = held === undefined ? null : await faultOf(api, held, wanted[name])
    if (held !== undefined && fault === null) return held
    if (fault !== null) notes.push(`"${wanted[name].name}" ${fault}: a new credential was made.`)
    return keep(name, await issue(api, state.project, wanted[name]))
  }
  const renew = async (name: ThrowAwayName): Promise<HeldCredential> => {
    await forget(api, state.credentials[name])
    return keep(name, await issue(api, state.project, throwAway[name]))
  }
  // All at once: the store writes them together.
  const [wecantrack, clickmeter, readOnly, cardconnect, server, client, llm, spent, rotated, revoked] =
    await Promise.all([
      ensure('wecantrack'),
      ensure('clickmeter'),
      ensure('readOnly'),
      ensure('cardconnect'),
      ensure('server'),
      ensure('client'),
      ensure('llm'),
      ensure('spent'),
      renew('rotated'),
      renew('revoked'),
    ])
  const credentials = { wecantrack, clickmeter, readOnly, cardconnect, server, client, llm, spent, rotated, revoked }
  return { account: state.account, notes, credentials }
}

const account = { name: 'Demonstration', plan: 'demonstration' }

/** An account that the reader suspended is resumed; one that is gone is made anew, with everything in it. */
async function ensureAccount(client: Client, state: DemoState | null, notes: string[]): Promise<DemoState> {
  const found = state === null ? null : await orNull(client.get<wire.Account>(`/accounts/${state.account}`))
  if (state !== null && found !== null) {
    if (found.state === 'suspended') {
      await client.post(`/accounts/${found.id}/resume`)
      notes.push('The account was suspended: it was resumed.')
    }
    if (found.plan !== account.plan) {
      await client.patch(`/accounts/${found.id}`, found.version, { plan: account.plan })
      notes.push('The account was on another plan: it is back on "demonstration".')
    }
    return state
  }
  const created = await client.post<wire.CreatedAccount>('/accounts', account)
  const pairs = created.credentials.map(
    (issued) => [issued.credential.kind === 'publishable' ? 'client' : 'server', heldFrom(issued)] as const,
  )
  const clientSide = created.credentials.find(({ credential }) => credential.kind === 'publishable')?.credential
  if (clientSide !== undefined) {
    await client.patch(`/credentials/${clientSide.id}`, clientSide.version, {
      origin_allow: wanted.client.origin_allow,
    })
  }
  return { account: created.account.id, project: created.project.id, credentials: Object.fromEntries(pairs) }
}

/** What keeps a credential from doing what the lines promise; null: nothing. */
async function faultOf(
  client: Client,
  { id, secret_id: secretId, scopes }: HeldCredential,
  want: Wanted,
): Promise<string | null> {
  const detail = await orNull(client.get<wire.CredentialDetail>(`/credentials/${id}`))
  if (detail === null) return 'was deleted'
  if (detail.state !== 'active') return `is ${detail.state.replaceAll('_', ' ')}`
  const secret = detail.secrets.find((each) => each.id === secretId)
  if (secret === undefined || secret.not_after !== null) return 'was rotated'
  const origins = (want.origin_allow ?? []).every(
    (origin) => detail.origin_allow?.some((each) => each.endsWith(origin)) === true,
  )
  const changed = !origins || detail.ip_allow.length > 0 || detail.scopes.toSorted().join() !== scopes.toSorted().join()
  return changed ? 'has other rights than before' : null
}

async function issue(client: Client, project: string, want: Wanted): Promise<HeldCredential> {
  return heldFrom(await client.post<wire.IssuedCredential>(`/projects/${project}/credentials`, want))
}

function heldFrom({ credential, secret }: wire.IssuedCredential): HeldCredential {
  return {
    id: credential.id,
    public_id: secret?.public_id ?? credential.public_id ?? '',
    secret_id: secret?.id ?? '',
    secret: secret?.value ?? '',
    scopes: credential.scopes,
  }
}

/** The throw-away keys of the last start go, whatever the reader did to them. */
async function forget(client: Client, old: HeldCredential | undefined): Promise<void> {
  if (old !== undefined) await orNull(client.delete(`/credentials/${old.id}`))
}

async function orNull<Answer>(call: Promise<Answer>): Promise<Answer | null> {
  try {
    return await call
  } catch (error) {
    if (error instanceof RefusedByServer && (error.status === 404 || error.status === 409)) return null
    throw error
  }
}
