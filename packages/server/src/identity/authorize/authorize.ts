import type { Answer } from '../../core/decision/answer.ts'
import type { AuthorizationRefusal, AuthorizationRequest } from '../../core/oauth/authorization.ts'
import type { Served } from '../../core/oauth/endpoint.ts'
import type { Context, Page } from '../context.ts'
import { message } from '../messages.ts'
import { provenance } from '../provenance.ts'
import type { PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'
import { wayBack } from '../way-back.ts'
import { choicePage } from './choice.ts'
import { consentPage } from './consent.ts'
import { nowherePage } from './nowhere.ts'
import { type Place, placesFor } from './places.ts'

/** `prompt=login` is met by whoever has just signed in: this is how long it takes to come back from there. */
const justNowMs = 60_000

/**
 * `GET /oauth/authorize`: who is it, for which project, what may the client do there. Nobody is asked before client
 * and redirect URI are known to belong together.
 */
export function authorizePage(context: Context): Page {
  return async (request) => {
    const read = await context.authorization.read(request.received)
    if (!read.ok) return refused(context, request, read.error)
    const asked = read.value
    const silent = asked.prompt.includes('none')
    const presence = await context.sessions.signedIn(request)
    if (presence === null || !isFresh(context, asked, presence)) {
      if (silent) return context.authorization.refuse(asked, 'login_required', 'Nobody is signed in.')
      return signInFirst(context, request, presence)
    }
    const { places, nowhere, cut } = await placesFor(context, presence.user.id, asked)
    const [first, ...others] = places
    if (first === undefined) {
      if (silent) return context.authorization.refuse(asked, 'access_denied', 'This person may not allow it.')
      return await nowherePage(context, request, { asked, presence, nowhere, target: request.target })
    }
    const again = await allowedBefore(context, presence, asked, places)
    if (again !== null) return await approve(context, request, asked, { presence, place: again, scopes: again.scopes })
    if (silent) return context.authorization.refuse(asked, 'consent_required', 'This person has not allowed it yet.')
    return others.length > 0 || asked.prompt.includes('select_account')
      ? await choicePage(context, request, { asked, presence, places, cut, target: request.target })
      : await consentPage(context, request, { asked, presence, place: first, target: request.target, several: false })
  }
}

/** `POST /oauth/authorize`, which a client's page may send: from here on it is a GET, which comes with the cookie. */
export function authorizePosted(context: Context): Page {
  return async (request) => {
    const read = await context.authorization.read(request.received)
    if (!read.ok) return refused(context, request, read.error)
    const query = new URLSearchParams(request.received.body.toString('utf8')).toString()
    const way = wayBack(`/oauth/authorize?${query}`)
    return way === null ? tooLong(context, request) : context.to(request, way)
  }
}

/** Stores what was agreed to and sends the browser back to the client. */
export async function approve(
  context: Context,
  request: PageRequest,
  asked: AuthorizationRequest,
  agreed: { readonly presence: Presence; readonly place: Place; readonly scopes: readonly string[] },
): Promise<Answer | Served> {
  const { presence, place, scopes } = agreed
  const user = presence.user.id
  const approval = { user, account: place.account.id, project: place.project.id, scopes }
  const approved = await context.authorization.approve(asked, approval, provenance(request, user))
  return approved.ok ? approved.value : refused(context, request, approved.error)
}

export function refused(context: Context, request: PageRequest, refusal: AuthorizationRefusal): Answer | Served {
  if (refusal.kind === 'redirect') return refusal.served
  const { status, title, detail, evaluation } = refusal
  return { answer: message(context, request, { status, title, text: detail }), evaluation }
}

function isFresh(context: Context, asked: AuthorizationRequest, { session }: Presence): boolean {
  return !asked.prompt.includes('login') || context.clock.now() - session.authenticatedAt < justNowMs
}

function signInFirst(context: Context, request: PageRequest, presence: Presence | null): Answer {
  const way = wayBack(request.target.replaceAll('\\', '%5C'))
  if (way === null) return tooLong(context, request)
  return context.to(request, `/sign-in?${presence === null ? '' : 'again=1&'}continue=${encodeURIComponent(way)}`)
}

/**
 * Where a grant covers all that may be allowed, a client that has proven itself by a secret is not asked about again;
 * never one that anybody can pass for: a public client, or one on a loopback address or a scheme of its own
 * (statement 14; RFC 8252, section 8.6).
 */
async function allowedBefore(
  context: Context,
  { user }: Presence,
  asked: AuthorizationRequest,
  places: readonly Place[],
): Promise<Place | null> {
  const { client, redirectUri, prompt, api } = asked
  const asks = prompt.includes('consent') || prompt.includes('select_account')
  if (asks || client.type === 'public' || !redirectUri.startsWith('https:')) return null
  const { items } = await context.store.grants.list({
    scope: null,
    client: client.credential,
    user: user.id,
    project: null,
    state: 'active',
    limit: 2,
    after: null,
  })
  const [grant, ...more] = items
  if (grant === undefined || more.length > 0 || !grant.apis.includes(api.id)) return null
  const place = places.find(({ project }) => project.id === grant.project)
  return place !== undefined && place.scopes.every((scope) => grant.scopes.includes(scope)) ? place : null
}

function tooLong(context: Context, request: PageRequest): Answer {
  return message(context, request, {
    status: 414,
    title: 'The request is too long',
    text: 'The application asked for access in an address that is too long to come back to after signing in. Tell those who made it.',
  })
}
