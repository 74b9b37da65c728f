import type { Declaration } from '../core/apis/api.ts'
import type { Answer } from '../core/decision/answer.ts'
import type { Evaluation } from '../core/decision/evaluation.ts'
import type { ConsolePage } from '../core/oauth/console-routes.ts'
import type { Endpoint, Served } from '../core/oauth/endpoint.ts'
import { authorizePage, authorizePosted } from './authorize/authorize.ts'
import { decide } from './authorize/decide.ts'
import { type Context, createContext, type Page } from './context.ts'
import { factor, factorPage } from './factor.ts'
import { html } from './html.ts'
import { acceptInvitation, invitationLinkPage, invitationPage } from './invitation.ts'
import { pageAnswer } from './layout.ts'
import { withdrawGrant } from './me/grants.ts'
import { mePage } from './me/me.ts'
import { changePassword, passwordPage } from './me/password.ts'
import { renewRecoveryCodes, secondFactorPage, turnOffSecondFactor, turnOnSecondFactor } from './me/second-factor.ts'
import { endSessions } from './me/sessions.ts'
import { message } from './messages.ts'
import type { IdentityParts } from './parts.ts'
import { basePath, belowBase, readRequest, type Unread } from './request.ts'
import { reset, resetPage } from './reset.ts'
import { signIn, signInPage } from './sign-in.ts'
import { signOut, signOutPage } from './sign-out.ts'

/** People's pages: who signs in, and what they agree to. */
export interface Identity {
  readonly endpoint: Endpoint
  /** What the console serves at a path, as it was received; null: none of these pages. */
  onConsole(path: string): Endpoint | null
}

interface Route {
  /** Of its route, in counts and in the request log. Null: `oauth/` has declared it. */
  readonly id: string | null
  /** `{secret}`: what no log may have. */
  readonly path: string
  readonly get?: (context: Context) => Page
  readonly post?: (context: Context) => Page
}

/** Every page. */
const routes: readonly Route[] = [
  { id: null, path: '/oauth/authorize', get: authorizePage, post: authorizePosted },
  { id: 'oauth.consent', path: '/oauth/consent', post: decide },
  { id: 'people.sign_in', path: '/sign-in', get: signInPage, post: signIn },
  { id: 'people.second_factor', path: '/sign-in/factor', get: factorPage, post: factor },
  { id: 'people.sign_out', path: '/sign-out', get: signOutPage, post: signOut },
  { id: 'people.invitation', path: '/invitation', get: invitationPage, post: acceptInvitation },
  { id: 'people.invitation', path: '/invitation/{secret}', get: invitationLinkPage },
  { id: 'people.reset', path: '/reset', post: reset },
  { id: 'people.reset', path: '/reset/{secret}', get: resetPage },
  { id: 'people.account', path: '/me', get: mePage },
  { id: 'people.account', path: '/me/password', get: passwordPage, post: changePassword },
  { id: 'people.account', path: '/me/second-factor', get: secondFactorPage, post: turnOnSecondFactor },
  { id: 'people.account', path: '/me/second-factor/codes', post: renewRecoveryCodes },
  { id: 'people.account', path: '/me/second-factor/off', post: turnOffSecondFactor },
  { id: 'people.account', path: '/me/sessions/end', post: endSessions },
  { id: 'people.account', path: '/me/grants/withdraw', post: withdrawGrant },
]

/** Their routes on the console: below the path of the public URL too, which a proxy in front may leave there. */
export function identityPages({ publicUrl }: Pick<Declaration, 'publicUrl'>): readonly ConsolePage[] {
  const base = basePath(publicUrl)
  return routes.flatMap(({ id, path }) =>
    id === null ? [] : [{ id, path }, ...(base === '' ? [] : [{ id, path: base + path }])],
  )
}

export function createIdentity(parts: IdentityParts): Identity {
  const context = createContext(parts)
  const pages = routes.map(({ path, get, post }) => ({
    path,
    GET: get === undefined ? null : get(context),
    POST: post === undefined ? null : post(context),
  }))
  const find = (path: string) => {
    const link = `${path.slice(0, path.lastIndexOf('/'))}/{secret}`
    return pages.find((page) => page.path === path) ?? pages.find((page) => page.path === link)
  }
  const answer = async (received: Parameters<Endpoint>[0]): Promise<Answer | Served> => {
    const read = readRequest(received, parts.declaration())
    if (!read.ok) return unreadable(parts, received.requestId, read.error)
    const request = read.value
    const page = find(request.path)
    if (page === undefined) return message(context, request, notFound)
    const handle = page[request.method]
    return handle === null ? unreadable(parts, request.requestId, 'method') : await handle(request)
  }
  const endpoint: Endpoint = async (received) => {
    const answered = await answer(received)
    return 'answer' in answered ? answered : { answer: answered, evaluation: served(received.matched) }
  }
  return {
    endpoint,
    onConsole: (path) => (find(belowBase(path, parts.declaration().publicUrl)) === undefined ? null : endpoint),
  }
}

/** For the meter: a page was shown, whatever it says. */
const served = (matched: Evaluation): Evaluation => ({ ...matched, allowed: true, refusal: null, trace: null })

const notFound = {
  status: 404,
  title: 'There is no such page',
  text: 'The address may be cut off or out of date. Open the link again, or copy it in full.',
}

const unread: Readonly<Record<Unread, { readonly status: number; readonly title: string; readonly text: string }>> = {
  insecure: {
    status: 403,
    title: 'HTTPS is required',
    text: 'Passwords and sessions must not travel over plain HTTP. Open this address with https://. Operators: see listen.plain_http_from and listen.trusted_proxies.',
  },
  method: {
    status: 405,
    title: 'This page cannot be asked like that',
    text: 'It is opened by GET, and its forms are sent by POST.',
  },
  media_type: {
    status: 415,
    title: 'This is no form',
    text: 'A form is sent as application/x-www-form-urlencoded.',
  },
  too_large: { status: 413, title: 'The form is too large', text: 'Nothing of it was read.' },
}

function unreadable(parts: IdentityParts, requestId: string, reason: Unread): Answer {
  const { status, title, text } = unread[reason]
  return pageAnswer(parts.declaration(), requestId, {
    status,
    title,
    content: html`<h1>${title}</h1>
      <p class="lead">${text}</p>`,
    headers: reason === 'method' ? ['Allow', 'GET, HEAD, POST'] : [],
  })
}
