import type { Result } from '../../base/result.ts'
import type { Api } from '../apis/api.ts'
import type { Provenance } from '../audit/event.ts'
import type { OAuthClient } from '../credentials/oauth-client.ts'
import type { Evaluation } from '../decision/evaluation.ts'
import type { EndpointRequest, Served } from './endpoint.ts'

/**
 * An authorization request whose client and redirect URI are known and belong together (RFC 6749, section 4.1.1):
 * from here on everything may be said by a redirect.
 */
export interface AuthorizationRequest {
  readonly client: AskingClient
  /** Where the answer goes: the registered URI, with the client's own port where it is a loopback address. */
  readonly redirectUri: string
  /** Whether the request named it: then the token request has to as well. */
  readonly redirectUriSent: boolean
  readonly state: string | null
  readonly api: Api
  /** What was asked for, every scope by its name and within what the client may have. */
  readonly scopes: readonly string[]
  /** S256. */
  readonly challenge: string
  readonly prompt: readonly ('login' | 'consent' | 'none' | 'select_account')[]
  /** For the meter, while nothing is refused: client, API, route. */
  readonly evaluation: Evaluation
}

/** Credential id, and what people are shown. */
interface AskingClient {
  readonly credential: string
  readonly id: string
  readonly name: string
  readonly account: string
  /** A public one proves nothing by its name: people are asked every time (RFC 9700, section 4.15). */
  readonly type: OAuthClient['type']
  /** It gets refresh tokens, and so stays signed in. */
  readonly refreshes: boolean
}

/** What a member has agreed to. */
export interface Approval {
  readonly user: string
  readonly account: string
  readonly project: string
  /** Of those asked for, the ones allowed: not all need to be. */
  readonly scopes: readonly string[]
}

/**
 * The authorization endpoint's protocol side; who the person is and what they agree to is for `identity/`. All
 * answers are whole: status 303 with Location, or a page that says why nothing can be redirected.
 */
export interface Authorization {
  /**
   * Reads and checks GET or POST `/oauth/authorize`; what cannot go on is answered, by redirect only where that is
   * safe. Of a GET the parameters stand in the query, of a POST in the form. What it answers holds for this turn:
   * whoever goes on later reads the same parameters again.
   */
  read(request: EndpointRequest): Promise<Result<AuthorizationRequest, AuthorizationRefusal>>
  /** Checks what `read` checked once more, stores grant and code, and sends the browser back. */
  approve(
    request: AuthorizationRequest,
    approval: Approval,
    by: Provenance,
  ): Promise<Result<Served, AuthorizationRefusal>>
  /** Sends the browser back with an error (RFC 6749, section 4.1.2.1), `iss` and `state`. */
  refuse(
    request: AuthorizationRequest,
    error: 'access_denied' | 'login_required' | 'consent_required' | 'interaction_required' | 'server_error',
    description: string,
  ): Served
}

export type AuthorizationRefusal =
  | { readonly kind: 'redirect'; readonly served: Served }
  /** Client or redirect URI cannot be trusted: the person is told, nobody is redirected. */
  | {
      readonly kind: 'page'
      readonly status: number
      readonly title: string
      readonly detail: string
      readonly evaluation: Evaluation
    }
