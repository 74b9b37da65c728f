import type { Answer } from '../../core/decision/answer.ts'
import type { AuthorizationRequest } from '../../core/oauth/authorization.ts'
import type { Context } from '../context.ts'
import { errorSummary } from '../fields.ts'
import { html, type Html } from '../html.ts'
import { formField } from '../posted.ts'
import type { PageRequest } from '../request.ts'
import { type Asked, leadsTo, otherPerson, returnsTo } from './asked.ts'
import type { Place } from './places.ts'

/** Of the sealed field that every form of a request has, from the choice to the decision. */
export const purpose = 'consent'

/** Who asks, for which project, what, and for how long. Allowing is no easier than refusing. */
export async function consentPage(
  context: Context,
  request: PageRequest,
  consent: Asked & {
    readonly place: Place
    /** There is another project that could be chosen. */
    readonly several: boolean
    readonly error?: string
  },
): Promise<Answer> {
  const { asked, presence, target, place, several, error = null } = consent
  const { client, api } = asked
  const { account, project, scopes } = place
  const owner = await context.store.accounts.find({ id: client.account })
  const held = { target, account: account.id, project: project.id }
  return context.page(request, {
    title: `${client.name} asks for access`,
    status: error === null ? 200 : 422,
    shape: 'roomy',
    formsLeadTo: leadsTo(asked),
    content: html`<h1>${client.name} asks for access</h1>
      <p class="lead">
        It would act in your name on <b>${api.id}</b>. Allow it only if you know it and expected to be asked.
      </p>
      ${errorSummary({}, error)}
      <dl class="facts">
        <div>
          <dt>Application</dt>
          <dd>${client.name}<span class="sub">of ${owner?.name ?? client.account}</span></dd>
        </div>
        <div>
          <dt>Leads back to</dt>
          <dd><code>${returnsTo(asked)}</code></dd>
        </div>
        <div>
          <dt>For project</dt>
          <dd>
            ${account.name} /
            ${project.name}${project.environment === 'sandbox' ? html` <span class="tag">sandbox</span>` : null}
          </dd>
        </div>
        <div>
          <dt>For how long</dt>
          <dd>${duration(asked)}</dd>
        </div>
      </dl>
      <form novalidate method="post" action="${context.href('/oauth/consent')}">
        ${formField(context, purpose, presence.session.id, held)}
        <fieldset>
          <legend>It would be able to</legend>
          <div class="options">${scopes.map((scope) => permission(asked, scope, scopes.length === 1))}</div>
        </fieldset>
        <div class="actions even">
          <button name="decision" value="refuse">Refuse</button>
          <button class="primary" name="decision" value="allow">Allow</button>
        </div>
        ${several ? html`<button class="link" name="decision" value="back">Choose another project</button>` : null}
      </form>`,
    below: otherPerson(context, consent),
  })
}

function permission({ api }: AuthorizationRequest, scope: string, only: boolean): Html {
  const text = html`<span>${api.scopes.get(scope) ?? scope}<span class="sub mono">${scope}</span></span>`
  return only
    ? html`<div class="option only">${text}<input type="hidden" name="scope" value="${scope}" /></div>`
    : html`<label class="option"><input type="checkbox" name="scope" value="${scope}" checked />${text}</label>`
}

function duration({ api, client }: AuthorizationRequest): string {
  const { ttlMs, refresh } = api.oauth
  if (!client.refreshes) return `${inWords(ttlMs)}, then it has to ask again`
  return `Until you withdraw it, at most ${inWords(refresh.absoluteMs)}; then it has to ask again`
}

function inWords(ms: number): string {
  const [count, unit] =
    ms < 7_200_000 ? [ms / 60_000, 'minute'] : ms < 172_800_000 ? [ms / 3_600_000, 'hour'] : [ms / 86_400_000, 'day']
  return `${Math.ceil(count)} ${unit}${Math.ceil(count) === 1 ? '' : 's'}`
}
