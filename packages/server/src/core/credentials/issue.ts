import { sha256 } from '../../base/digest.ts'
import type { Ids } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Secret } from '../../base/secret.ts'
import type { Environment, Preset, SecretOrigin, VisibilityWindow } from '../apis/api.ts'
import type { NewCredential, NewSecret } from '../store.ts'
import type { CredentialKind } from './credential.ts'
import { makeKey, makePair, makeToken } from './format.ts'
import type { OAuthClient } from './oauth-client.ts'
import type { Sealing } from './sealing.ts'
import type { AcceptedTerms } from './terms.ts'

/** What making secrets needs of its surroundings. */
export interface Mint {
  readonly brand: string
  readonly ids: Ids
  readonly random: Random
  /** Null: without a shared folder of key files, secrets are shown once. */
  readonly sealing: Sealing | null
  readonly now: number
}

/** A credential that is ready to be stored, with its secret in clear for this one answer. */
export interface Issued {
  readonly credential: NewCredential
  /** Null: a public client has no secret. */
  readonly value: Secret | null
}

/** Makes id, public id and secret for accepted terms. Only the digest and the sealed copy are for the store. */
export function issueCredential(
  terms: AcceptedTerms,
  place: { readonly environment: Environment; readonly primary: boolean },
  mint: Mint,
): Issued {
  const id12 = mint.ids.credential()
  const pair = terms.form === 'pair' ? makePair(pairShape(terms), mint.random) : null
  const publicId = pair?.publicId ?? id12
  const value = hasSecret(terms) ? (pair?.secret ?? secretOf(terms.kind, place.environment, id12, mint)) : null
  const facts = { kind: terms.kind, primary: place.primary, origin: 'first', environment: place.environment } as const
  const window = narrowestWindow(
    terms.declaredApis.map((api) => api.preset),
    facts,
  )
  return {
    credential: {
      id: `cred_${id12}`,
      publicId,
      form: terms.form,
      kind: terms.kind,
      apis: terms.apis,
      name: terms.name,
      scopes: terms.scopes,
      role: terms.role,
      ipAllow: terms.ipAllow,
      originAllow: terms.originAllow,
      limits: terms.limits,
      llm: terms.llm,
      oauth: terms.oauth,
      notBefore: terms.notBefore,
      expiresAt: terms.expiresAt,
      primary: place.primary,
      metadata: terms.metadata,
      secret: value === null ? null : newSecret(value, window, 'first', mint),
    },
    value,
  }
}

/** Whether such a credential is known by a secret at all (RFC 6749, section 2.1). */
function hasSecret({ oauth }: { readonly oauth: OAuthClient | null }): boolean {
  return oauth?.type !== 'public'
}

/** Another secret for a credential that exists and has secrets; its public id stays. */
export function regenerateSecret(
  credential: {
    readonly id: string
    readonly publicId: string | null
    readonly form: 'key' | 'pair'
    readonly kind: CredentialKind
    readonly primary: boolean
  },
  presets: readonly Preset[],
  environment: Environment,
  mint: Mint,
): { readonly secret: NewSecret; readonly value: Secret } {
  const value =
    credential.form === 'pair'
      ? makePair(presets[0]?.pairShape ?? 'base62', mint.random).secret
      : secretOf(credential.kind, environment, credential.id.slice('cred_'.length), mint)
  const facts = { kind: credential.kind, primary: credential.primary, origin: 'regenerated', environment } as const
  return { secret: newSecret(value, narrowestWindow(presets, facts), 'regenerated', mint), value }
}

function secretOf(kind: CredentialKind, environment: Environment, publicId: string, mint: Mint): Secret {
  const { brand, random } = mint
  return kind === 'oauth_client'
    ? makeToken({ brand, token: 'client_secret', random })
    : makeKey({ brand, kind, environment, publicId, random })
}

function pairShape(terms: AcceptedTerms): 'uuid' | 'base62' {
  return terms.declaredApis[0]?.preset.pairShape ?? 'base62'
}

function newSecret(value: Secret, window: VisibilityWindow, origin: SecretOrigin, mint: Mint): NewSecret {
  const id = mint.ids.next('sec')
  const visibleUntil = window === 'once' ? null : window === 'always' ? 'always' : mint.now + window
  const sealed = visibleUntil === null || mint.sealing === null ? null : mint.sealing.seal(value, id, visibleUntil)
  return { id, digest: sha256(value.reveal()), hint: value.hint(), origin, sealed }
}

/** A credential for APIs of several presets is shown for as long as the strictest of them says. */
function narrowestWindow(presets: readonly Preset[], facts: Parameters<Preset['window']>[0]): VisibilityWindow {
  const windows = presets.map((preset) => preset.window(facts))
  if (windows.length === 0 || windows.includes('once')) return 'once'
  const lengths = windows.filter((window) => typeof window === 'number')
  return lengths.length === 0 ? 'always' : Math.min(...lengths)
}
