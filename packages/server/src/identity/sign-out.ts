import type { Context, Page } from './context.ts'
import { html } from './html.ts'
import { foreignForm, message } from './messages.ts'
import { formField, posted } from './posted.ts'

const purpose = 'sign-out'

export function signOutPage(context: Context): Page {
  return async (request) => {
    const presence = (await context.sessions.signedIn(request)) ?? (await context.sessions.halfway(request))
    if (presence === null) {
      return message(context, request, {
        status: 200,
        title: 'You are signed out',
        text: 'Nobody is signed in with this browser.',
        next: html`<a href="${context.href('/sign-in')}">Sign in</a>`,
      })
    }
    const { session, user } = presence
    return context.page(request, {
      title: 'Sign out',
      content: html`<h1>Sign out</h1>
        <p class="lead">You are signed in as <b>${user.email}</b>.</p>
        <form novalidate method="post" action="${context.href('/sign-out')}">
          ${formField(context, purpose, session.id)}
          <button class="primary">Sign out</button>
        </form>`,
      below: html`<a href="${context.href('/me')}">Stay signed in</a>`,
    })
  }
}

export function signOut(context: Context): Page {
  return async (request) => {
    const presence = (await context.sessions.signedIn(request)) ?? (await context.sessions.halfway(request))
    if (presence === null) return context.to(request, '/sign-out')
    if (posted(context, request, purpose, presence.session.id).kind === 'foreign') return foreignForm(context, request)
    return context.to(request, '/sign-out', await context.sessions.end(request, presence))
  }
}
