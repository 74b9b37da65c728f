import type { Api } from '../apis/api.ts'

/** What a credential may do on one API now: its own scopes and its role's, and what these imply, within the plan. */
export interface Rights {
  /** For people and the upstream: `["*"]` where it carries all that there is. */
  readonly scopes: readonly string[]
  holds(scope: string): boolean
}

/** What a token's rights are derived from. Grant and member are null where nobody consented to it. */
export interface TokenSources {
  readonly api: Api
  /** Of the credential that it was minted for. */
  readonly client: Rights
  readonly grant: Rights | null
  /** Of the member who consented, in their role now. */
  readonly member: Rights | null
}

/** The rights that were derived last, and from what: that is made anew whenever anything is declared or changed. */
export interface DerivedRights extends TokenSources {
  readonly rights: Rights
}
