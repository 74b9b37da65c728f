import type { Context, Page } from '../context.ts'
import { errorSummary, type Errors, hiddenAccount } from '../fields.ts'
import { html } from '../html.ts'
import { busy, foreignForm } from '../messages.ts'
import { newPasswordFields, readNewPassword } from '../new-password.ts'
import { formField, lateText, posted } from '../posted.ts'
import { forRecent } from '../presence.ts'
import { provenance } from '../provenance.ts'
import type { PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'

const purpose = 'password'

export function passwordPage(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, '/me/password', async (presence) => form(context, request, presence, {}, null))
}

export function changePassword(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, '/me/password', async (presence) => {
      const { session, user } = presence
      const opened = posted(context, request, purpose, session.id)
      if (opened.kind === 'foreign') return foreignForm(context, request)
      if (opened.kind === 'late') return form(context, request, presence, {}, lateText)
      const { password, errors } = readNewPassword(request, [user.email, user.name, context.declaration().brand])
      if (Object.keys(errors).length > 0) return form(context, request, presence, errors, null)
      const hashed = await context.passwords.hash(password)
      if (!hashed.ok) return busy(context, request)
      const by = provenance(request, user.id)
      const { people } = context.store
      const change = { user: user.id, passwordHash: hashed.value, keepSession: session.id, by }
      const changed = context.applied(await people.setPassword(change))
      if (!changed.ok) return form(context, request, presence, {}, notStored)
      // The cookie is another one as well: whoever copied it has lost it.
      const cookie = await context.sessions.renew(presence)
      return context.to(request, cookie === null ? '/sign-in' : '/me?done=password', cookie ?? [])
    })
}

export const notStored = 'It could not be stored just now. Nothing was changed; try again in a while.'

function form(context: Context, request: PageRequest, presence: Presence, errors: Errors, general: string | null) {
  const { session, user } = presence
  return context.page(request, {
    title: 'Change password',
    status: Object.keys(errors).length === 0 && general === null ? 200 : 422,
    content: html`<h1>Change password</h1>
      <p class="lead">Every other session ends with it, and every application that stays signed in for you.</p>
      ${errorSummary(errors, general)}
      <form novalidate method="post" action="${context.href('/me/password')}">
        ${formField(context, purpose, session.id)} ${hiddenAccount(user.email)} ${newPasswordFields(errors, true)}
        <button class="primary">Change password</button>
      </form>`,
    below: html`<a href="${context.href('/me')}">Leave it as it is</a>`,
  })
}
