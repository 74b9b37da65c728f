import type { Provenance } from '../audit/event.ts'
import type { Page, PageRequest, Scope, Write } from '../store-words.ts'
import type { NewToken } from '../tokens/token.ts'
import type { Grant } from './grant.ts'

export interface GrantStore {
  /**
   * A member consents: the grant of this client, user and project is made, or widened by APIs and scopes, and the code
   * is stored with it. Refuses with `conflict` where the user is no active member of the account at this moment.
   */
  consent(input: {
    readonly grant: Pick<Grant, 'id' | 'client' | 'user' | 'account' | 'project' | 'apis' | 'scopes'>
    /** `grant` of the code is filled in with the grant that counts. */
    readonly code: NewToken
    readonly by: Provenance
  }): Write<Grant>
  /** Final: its tokens are dead for good. `user`: only where it is that person's. */
  withdraw(input: {
    readonly id: string
    readonly user: string | null
    readonly scope: Scope
    readonly by: Provenance
  }): Write<Grant>
  find(input: { readonly id: string; readonly scope: Scope }): Promise<Grant | null>
  /** Newest first. `scope` is the account of the grant's project or of the client. */
  list(
    input: PageRequest & {
      readonly scope: Scope
      readonly client: string | null
      readonly user: string | null
      readonly project: string | null
      readonly state: Grant['state'] | null
    },
  ): Promise<Page<Grant>>
}
