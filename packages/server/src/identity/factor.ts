import type { Answer } from '../core/decision/answer.ts'
import type { Context, Page } from './context.ts'
import { errorSummary, type Errors, field } from './fields.ts'
import { html } from './html.ts'
import { foreignForm, inWords, retryAfter } from './messages.ts'
import { formField, lateText, posted } from './posted.ts'
import type { PageRequest } from './request.ts'
import { provesFactor } from './second-factor.ts'
import type { Presence } from './sessions.ts'
import { tellFailure } from './sign-in-events.ts'
import { noteSignIn, wayOn } from './sign-in.ts'
import { visitorOf } from './visitor.ts'

const purpose = 'factor'
const path = '/sign-in/factor'

/** The second step of signing in, for whoever has given the password. */
export function factorPage(context: Context): Page {
  return async (request) => {
    const presence = await context.sessions.halfway(request)
    return presence === null ? backToSignIn(context, request) : await form(context, request, presence, {})
  }
}

export function factor(context: Context): Page {
  return async (request) => {
    const presence = await context.sessions.halfway(request)
    if (presence === null) return backToSignIn(context, request)
    const { session, user } = presence
    const opened = posted(context, request, purpose, session.id)
    if (opened.kind === 'foreign') return foreignForm(context, request)
    if (opened.kind === 'late') return await form(context, request, presence, { general: lateText, status: 422 })
    const code = request.form.get('code') ?? ''
    if (code === '') return await form(context, request, presence, { errors: { code: 'Enter the code.' }, status: 422 })
    const gate = context.attempts.factor({ user: user.id, device: context.devices.knownFor(request, user.email) })
    if (gate.kind !== 'open') return await form(context, request, presence, waits(gate.kind === 'wait' ? gate.ms : 0))
    const proofs = await context.store.people.proofsOf({ id: user.id })
    if (proofs === null || !(await provesFactor(context, request, proofs, code))) {
      tellFailure(context, request, user, 'second factor')
      return await form(context, request, presence, { errors: { code: wrongText }, status: 422 })
    }
    gate.right()
    const cookie = await context.sessions.complete(presence)
    if (cookie === null) return backToSignIn(context, request)
    await noteSignIn(context, request, user.id, 'password and second factor')
    return context.to(request, wayOn(request), [...cookie, ...context.devices.remember(user.email)])
  }
}

function backToSignIn(context: Context, request: PageRequest): Answer {
  return context.to(request, `/sign-in?continue=${encodeURIComponent(wayOn(request))}`)
}

interface Shown {
  readonly errors?: Errors
  readonly general?: string
  readonly status?: number
  readonly headers?: readonly string[]
}

async function form(
  context: Context,
  request: PageRequest,
  { session, user }: Presence,
  shown: Shown,
): Promise<Answer> {
  const { errors = {}, general = null, status = 200, headers = [] } = shown
  const recovery = request.query.get('recovery') === '1'
  const way = `continue=${encodeURIComponent(wayOn(request))}`
  const title = recovery ? 'Recovery code' : 'Second factor'
  const { formsLeadTo } = await visitorOf(context, request, wayOn(request))
  return context.page(request, {
    title,
    status,
    headers,
    formsLeadTo,
    content: html`<h1>${title}</h1>
      <p class="lead">
        ${recovery ? 'Each of your recovery codes works once.' : 'The six digits that your authenticator app shows now,'}
        for <b>${user.email}</b>.
      </p>
      ${errorSummary(errors, general)}
      <form novalidate method="post" action="${context.href(`${path}?${recovery ? 'recovery=1&' : ''}${way}`)}">
        ${formField(context, purpose, session.id)}
        ${
          recovery
            ? field({ name: 'code', label: 'Recovery code', autocomplete: 'off', code: 'any', autofocus: true }, errors)
            : field(
                { name: 'code', label: 'Code', autocomplete: 'one-time-code', code: 'digits', autofocus: true },
                errors,
              )
        }
        <button class="primary">Continue</button>
      </form>`,
    below: recovery
      ? html`<a href="${context.href(`${path}?${way}`)}">Use the authenticator app</a>`
      : html`Is it not at hand? <a href="${context.href(`${path}?recovery=1&${way}`)}">Use a recovery code</a>`,
  })
}

const wrongText = 'The code is wrong, or was used before. Wait for the next one and try again.'

const waits = (ms: number) => ({
  general: `There were too many wrong codes. Try again in ${inWords(ms)}.`,
  status: 429,
  headers: retryAfter(ms),
})
