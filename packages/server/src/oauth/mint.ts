import { sha256 } from '../base/digest.ts'
import type { Api } from '../core/apis/api.ts'
import { makeToken } from '../core/credentials/format.ts'
import type { Client } from '../core/decision/clients.ts'
import type { AuthorizationRequest } from '../core/oauth/authorization.ts'
import type { NewToken } from '../core/tokens/token.ts'
import { accessTokenJwt } from './jwt.ts'
import type { OAuthParts } from './parts.ts'

/** What a token is made for. */
export interface MintTerms {
  readonly client: Client
  readonly api: Api
  readonly scopes: readonly string[]
  readonly label: string | null
  /** Null: the client acts for itself. */
  readonly consent: Consent | null
}

export interface Consent {
  readonly grant: string
  readonly family: string
  readonly user: string
  readonly account: string
  readonly project: string
}

/** A token on its way into the store, with its text for this one answer. */
export interface Minted {
  readonly text: string
  readonly token: NewToken
}

export function mintAccess(parts: OAuthParts, terms: MintTerms, now: number): Minted {
  const { api, client, scopes } = terms
  const { accessToken: format, ttlMs } = api.oauth
  const id = parts.ids.next('tok')
  const expiresAt = now + ttlMs
  const text =
    format === 'opaque'
      ? opaque(parts, 'access')
      : accessTokenJwt(
          {
            iss: parts.declaration().publicUrl,
            sub: terms.consent?.user ?? client.credential,
            aud: audienceOf(api),
            exp: Math.floor(expiresAt / 1000),
            iat: Math.floor(now / 1000),
            jti: id,
            client_id: client.clientId,
            scope: scopes.join(' '),
          },
          parts.signingKeys.current(now),
        )
  return { text, token: { ...tokenOf(terms, now), id, kind: 'access', format, digest: sha256(text), expiresAt } }
}

/** `familyEndsAt`: of the family that it continues; null where it begins one. */
export function mintRefresh(parts: OAuthParts, terms: MintTerms, familyEndsAt: number | null, now: number): Minted {
  const { idleMs, absoluteMs } = terms.api.oauth.refresh
  const endsAt = familyEndsAt ?? now + absoluteMs
  const text = opaque(parts, 'refresh')
  return {
    text,
    token: {
      ...tokenOf(terms, now),
      id: parts.ids.next('tok'),
      kind: 'refresh',
      format: 'opaque',
      digest: sha256(text),
      expiresAt: Math.min(now + idleMs, endsAt),
      familyEndsAt: endsAt,
    },
  }
}

/** Lives for a minute at most (RFC 6749, section 4.1.2; RFC 9700, section 2.1.1). */
const codeMs = 60_000

/** Begins a family, which is called by its id. */
export function mintCode(
  { declaration, random, ids }: OAuthParts,
  { api, redirectUri, redirectUriSent, challenge }: AuthorizationRequest,
  grant: {
    readonly id: string
    readonly client: string
    readonly account: string
    readonly project: string
    readonly scopes: readonly string[]
  },
  now: number,
): Minted {
  const id = ids.next('tok')
  const text = makeToken({ brand: declaration().brand, token: 'code', random }).reveal()
  return {
    text,
    token: {
      id,
      kind: 'code',
      format: 'opaque',
      digest: sha256(text),
      credential: grant.client,
      grant: grant.id,
      family: id,
      account: grant.account,
      project: grant.project,
      api: api.id,
      scopes: grant.scopes,
      label: null,
      createdAt: now,
      expiresAt: now + codeMs,
      familyEndsAt: null,
      code: { redirectUri: redirectUriSent ? redirectUri : null, challenge },
    },
  }
}

/** The identifier by which everybody names the API (RFC 9068, section 3). */
export function audienceOf({ oauth, id }: Api): string {
  return oauth.resources[0] ?? id
}

function opaque({ declaration, random }: OAuthParts, token: 'access' | 'refresh'): string {
  return makeToken({ brand: declaration().brand, token, random }).reveal()
}

type Common = Omit<NewToken, 'id' | 'kind' | 'format' | 'digest' | 'expiresAt'>

function tokenOf({ client, api, scopes, label, consent }: MintTerms, now: number): Common {
  return {
    credential: client.credential,
    grant: consent?.grant ?? null,
    family: consent?.family ?? null,
    account: consent?.account ?? client.account,
    project: consent?.project ?? client.project,
    api: api.id,
    scopes,
    label,
    createdAt: now,
    familyEndsAt: null,
    code: null,
  }
}
