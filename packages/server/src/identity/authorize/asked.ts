import type { AuthorizationRequest } from '../../core/oauth/authorization.ts'
import { clientSource } from '../client-source.ts'
import type { Context } from '../context.ts'
import { html, type Html } from '../html.ts'
import type { Presence } from '../sessions.ts'

/** What all pages of one request know. */
export interface Asked {
  readonly asked: AuthorizationRequest
  readonly presence: Presence
  /** The request as it came, to be read again. */
  readonly target: string
}

/** Where a form of the page may lead: back to the client. */
export const leadsTo = ({ redirectUri }: AuthorizationRequest): readonly string[] => [clientSource(redirectUri)]

/** Whoever signs in next comes back to the same request. */
export function otherPerson(context: Context, { presence, target }: Asked): Html {
  const href = context.href(`/sign-in?other=1&continue=${encodeURIComponent(target)}`)
  return html`Signed in as ${presence.user.email}. <a href="${href}">Use another account</a>`
}

/** Host of a web address; the scheme of an app's own. */
export function returnsTo({ redirectUri }: AuthorizationRequest): string {
  const { protocol, host } = new URL(redirectUri)
  return protocol === 'https:' || protocol === 'http:' ? host : protocol
}
