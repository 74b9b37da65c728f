import type { Answer } from '../core/decision/answer.ts'
import type { Endpoint, Served } from '../core/oauth/endpoint.ts'
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
import { belowBase, pathOf, readRequest, type Unread } from './request.ts'
import { reset, resetPage } from './reset.ts'
import { signIn, signInPage } from './sign-in.ts'
import { signOut, signOutPage } from './sign-out.ts'

/** People's pages: who signs in, and what they agree to. */
export interface Identity {
  /** Whether a target, as it was received, leads to these pages. */
  owns(target: string): boolean
  readonly endpoint: Endpoint
}

interface Route {
  /** `*`: a secret, which no log may have. */
  readonly path: string
  readonly get?: (context: Context) => Page
  readonly post?: (context: Context) => Page
}

/** Every page. */
const routes: readonly Route[] = [
  { path: '/sign-in', get: signInPage, post: signIn },
  { path: '/sign-in/factor', get: factorPage, post: factor },
  { path: '/sign-out', get: signOutPage, post: signOut },
  { path: '/invitation', get: invitationPage, post: acceptInvitation },
  { path: '/invitation/*', get: invitationLinkPage },
  { path: '/reset', post: reset },
  { path: '/reset/*', get: resetPage },
  { path: '/me', get: mePage },
  { path: '/me/password', get: passwordPage, post: changePassword },
  { path: '/me/second-factor', get: secondFactorPage, post: turnOnSecondFactor },
  { path: '/me/second-factor/codes', post: renewRecoveryCodes },
  { path: '/me/second-factor/off', post: turnOffSecondFactor },
  { path: '/me/sessions/end', post: endSessions },
  { path: '/me/grants/withdraw', post: withdrawGrant },
]

const owned = /^\/(sign-in|sign-out|me|invitation|reset|oauth\/authorize|oauth\/consent)(\/|$)/

export function createIdentity(parts: IdentityParts): Identity {
  const context = createContext(parts)
  const pages = routes.map(({ path, get, post }) => ({
    path,
    GET: get === undefined ? null : get(context),
    POST: post === undefined ? null : post(context),
  }))
  const find = (path: string) => {
    const end = path.lastIndexOf('/')
    return pages.find((page) => page.path === path) ?? pages.find((page) => page.path === `${path.slice(0, end)}/*`)
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
  return {
    owns: (target) => owned.test(pathOf(belowBase(target, parts.declaration().publicUrl))),
    endpoint: async (received) => {
      const answered = await answer(received)
      return 'answer' in answered ? answered : { answer: answered, evaluation: received.matched }
    },
  }
}

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
