import type { Answer } from '../core/decision/answer.ts'
import { linkDigestOf } from '../core/people/link.ts'
import type { Context, Page } from './context.ts'
import { errorSummary, type Errors, hiddenAccount } from './fields.ts'
import { html } from './html.ts'
import { tooMany } from './invitation.ts'
import { busy, foreignForm, message } from './messages.ts'
import { newPasswordFields, readNewPassword } from './new-password.ts'
import { browserOf, formField, posted } from './posted.ts'
import { provenance } from './provenance.ts'
import type { PageRequest } from './request.ts'

const purpose = 'reset'

/** `/reset/{secret}`: the link that somebody was sent. Its secret goes on in the form alone. */
export function resetPage(context: Context): Page {
  return async (request) => {
    const gate = context.attempts.link(request.ip)
    if (gate.kind !== 'open') return tooMany(context, request, gate.kind === 'wait' ? gate.ms : 0)
    const secret = request.path.slice(request.path.lastIndexOf('/') + 1)
    const digest = linkDigestOf(secret)
    const user = digest === null ? null : await context.store.people.findReset({ digest, now: context.clock.now() })
    if (user === null) return dead(context, request)
    gate.right()
    return form(context, request, { secret, email: user.email, errors: {} })
  }
}

export function reset(context: Context): Page {
  return async (request) => {
    const opened = posted(context, request, purpose, browserOf(context, request).id)
    if (opened.kind !== 'good') return foreignForm(context, request)
    const { secret = '' } = opened.held
    const digest = linkDigestOf(secret)
    const { people } = context.store
    const user = digest === null ? null : await people.findReset({ digest, now: context.clock.now() })
    if (digest === null || user === null) return dead(context, request)
    const { password, errors } = readNewPassword(request, [user.email, user.name, context.declaration().brand])
    if (Object.keys(errors).length > 0) return form(context, request, { secret, email: user.email, errors })
    const hashed = await context.passwords.hash(password)
    if (!hashed.ok) return busy(context, request)
    const by = provenance(request, user.id)
    const done = context.applied(await people.redeemReset({ digest, passwordHash: hashed.value, by }))
    if (!done.ok) return dead(context, request)
    // The second factor is still asked for: a link is no way around it.
    return context.to(request, '/sign-in?done=reset', context.devices.remember(user.email))
  }
}

function form(
  context: Context,
  request: PageRequest,
  { secret, email, errors }: { readonly secret: string; readonly email: string; readonly errors: Errors },
): Answer {
  const { id: browser, headers } = browserOf(context, request)
  return context.page(request, {
    title: 'Set a new password',
    status: Object.keys(errors).length === 0 ? 200 : 422,
    headers,
    content: html`<h1>Set a new password</h1>
      <p class="lead">
        For <b>${email}</b>. Every session and every application that stays signed in for you ends with it.
      </p>
      ${errorSummary(errors)}
      <form novalidate method="post" action="${context.href('/reset')}">
        ${formField(context, purpose, browser, { secret })} ${hiddenAccount(email)} ${newPasswordFields(errors, true)}
        <button class="primary">Set password</button>
      </form>`,
  })
}

function dead(context: Context, request: PageRequest): Answer {
  return message(context, request, {
    status: 404,
    title: 'This link is not good any more',
    text: 'It was used, has expired after an hour, was replaced by a newer one, or is cut off. Ask an administrator of your account for another one.',
  })
}
