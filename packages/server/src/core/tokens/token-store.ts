import type { Provenance } from '../audit/event.ts'
import type { GrantRecord } from '../grants/grant.ts'
import type { Page, PageRequest, Scope, Write } from '../store-words.ts'
import type { CodeBinding, NewToken, Token, TokenKind, TokenRecord } from './token.ts'

/**
 * Tokens, codes and refresh tokens. Minting and rotating append no events: the rows are the record. Whatever may be
 * used once is spent by one conditional statement, in the transaction that stores its successors.
 */
export interface TokenStore {
  /** Durable when it answers. Throws `StorageFull` near a full disk. */
  mint(input: { readonly tokens: readonly NewToken[] }): Promise<void>
  /** What is known of an authorization code, before it is redeemed. Null: nothing. */
  findCode(input: { readonly digest: Uint8Array }): Promise<PresentedCode | null>
  /**
   * Spends the code and stores what is issued for it (nothing, where the one who redeems it does not fit): tokens of
   * its family, grant and credential, whatever else they say. Without successors it also works near a full disk.
   * `reused`: it was spent before. The first time that this happens all of its family is revoked, with the event
   * `token.reused`. `revoked`: its grant or the proofs of its user have changed since. `not_found`: no such code.
   */
  spendCode(input: {
    readonly digest: Uint8Array
    readonly successors: readonly NewToken[]
    readonly by: Provenance
  }): Write<'spent' | 'expired' | 'revoked' | 'reused'>
  findRefresh(input: { readonly digest: Uint8Array }): Promise<PresentedRefresh | null>
  /**
   * Spends the refresh token and stores its successors, as `spendCode`; no refresh token of them outlives the end of
   * the family.
   * `raced`: it was spent less than `graceMs` ago, which is a client that repeats itself; its family lives.
   * `reused`: later; the first time its family is revoked, with the event `token.reused`.
   */
  rotateRefresh(input: {
    readonly digest: Uint8Array
    readonly successors: readonly NewToken[]
    readonly graceMs: number
    readonly by: Provenance
  }): Write<'rotated' | 'expired' | 'revoked' | 'raced' | 'reused'>
  /** For the data plane: an access token, revoked and expired ones as well, with its grant as it is now. */
  byDigest(input: {
    readonly digest: Uint8Array
  }): Promise<{ readonly token: TokenRecord; readonly grant: GrantRecord | null } | null>
  /** For introspection: access and refresh tokens, whatever became of them. */
  describe(input: { readonly digest: Uint8Array }): Promise<Token | null>
  /**
   * Revokes a token; a refresh token, also one that was spent, with its whole family (RFC 7009, section 2.1).
   * `client`: only where it is that credential's. Answers null where there is none, or it was revoked or expired
   * before: no event then.
   */
  revoke(input: {
    readonly token: { readonly id: string } | { readonly digest: Uint8Array }
    readonly client: string | null
    readonly scope: Scope
    readonly by: Provenance
  }): Write<Token | null>
  find(input: { readonly id: string; readonly scope: Scope }): Promise<Token | null>
  /** Newest first. */
  list(
    input: PageRequest & {
      readonly scope: Scope
      readonly credential: string | null
      readonly grant: string | null
      readonly kind: TokenKind | null
      /** Only those that are neither spent, revoked nor expired at this instant. */
      readonly liveAt: number | null
    },
  ): Promise<Page<Token>>
  /**
   * Deletes some of what ended before `before`: access tokens that expired, refresh tokens and spent codes whose
   * family has ended. Answers how many; none: it is done.
   */
  prune(input: { readonly before: number }): Promise<number>
}

export interface PresentedCode {
  readonly token: Token
  readonly binding: CodeBinding
}

export interface PresentedRefresh {
  readonly token: Token
  readonly familyEndsAt: number
}
