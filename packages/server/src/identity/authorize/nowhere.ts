import type { Answer } from '../../core/decision/answer.ts'
import type { Context } from '../context.ts'
import { html } from '../html.ts'
import { formField } from '../posted.ts'
import type { PageRequest } from '../request.ts'
import { type Asked, leadsTo, otherPerson } from './asked.ts'
import { purpose } from './consent.ts'
import type { Nowhere } from './places.ts'

/** There is nothing that this person may allow: the page says why, and the client hears `access_denied`. */
export async function nowherePage(
  context: Context,
  request: PageRequest,
  { asked, presence, nowhere, target }: Asked & { readonly nowhere: Nowhere },
): Promise<Answer> {
  const { client } = asked
  return context.page(request, {
    title: 'Nothing to allow',
    status: 403,
    formsLeadTo: leadsTo(asked),
    content: html`<h1>You cannot allow this</h1>
      <p class="lead"><b>${client.name}</b> asks for access to ${asked.api.id}. ${reasons[nowhere]}</p>
      <form novalidate method="post" action="${context.href('/oauth/consent')}">
        ${formField(context, purpose, presence.session.id, { target })}
        <button class="primary" name="decision" value="refuse">Back to ${client.name}</button>
      </form>`,
    below: otherPerson(context, { asked, presence, target }),
  })
}

const reasons: Readonly<Record<Nowhere, string>> = {
  no_account: 'You are not a member of any active account. Ask an administrator of yours to invite you.',
  plan: 'None of your accounts has a plan that includes it. An owner of the account can change the plan.',
  role: 'Your role does not include what is asked for. Ask an owner or administrator of the account to allow it, or for another role.',
}
