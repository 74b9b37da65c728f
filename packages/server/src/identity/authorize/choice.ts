import type { Answer } from '../../core/decision/answer.ts'
import type { Context } from '../context.ts'
import { flag, html, type Html } from '../html.ts'
import { formField } from '../posted.ts'
import type { PageRequest } from '../request.ts'
import { type Asked, leadsTo, otherPerson } from './asked.ts'
import { purpose } from './consent.ts'
import type { Place } from './places.ts'

/** For which project? Asked where there is more than one, or the client wants it to be asked. */
export async function choicePage(
  context: Context,
  request: PageRequest,
  choice: Asked & { readonly places: readonly Place[]; readonly cut: readonly string[] },
): Promise<Answer> {
  const { asked, presence, target, places, cut } = choice
  const accounts = [...new Map(places.map(({ account }) => [account.id, account])).values()]
  return context.page(request, {
    title: 'Choose a project',
    formsLeadTo: leadsTo(asked),
    content: html`<h1>Choose a project</h1>
      <p class="lead"><b>${asked.client.name}</b> asks for access to one of your projects. Nothing is allowed yet.</p>
      <form novalidate method="post" action="${context.href('/oauth/consent')}">
        ${formField(context, purpose, presence.session.id, { target })}
        <div>
          ${accounts.map(
            (account) =>
              html`<fieldset>
                <legend>${account.name}</legend>
                <div class="options">
                  ${places.filter((place) => place.account.id === account.id).map((place) => option(place, place === places[0]))}
                </div>
              </fieldset>`,
          )}
        </div>
        ${cut.length === 0 ? null : html`<p class="hint">Only the first 100 projects of ${cut.join(', ')} are shown.</p>`}
        <div class="actions even">
          <button name="decision" value="refuse">Cancel</button>
          <button class="primary" name="decision" value="choose">Continue</button>
        </div>
      </form>`,
    below: otherPerson(context, choice),
  })
}

function option({ account, project }: Place, first: boolean): Html {
  const value = `${account.id}/${project.id}`
  return html`<label class="option"
    ><input type="radio" name="place" value="${value}" ${flag('checked', first)}${flag('required', first)} /><span
      >${project.name}${project.environment === 'sandbox' ? html` <span class="tag">sandbox</span>` : null}</span
    ></label
  >`
}
