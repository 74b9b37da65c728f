import type { Grant } from '../../core/grants/grant.ts'
import type { Context, Page } from '../context.ts'
import { hidden } from '../fields.ts'
import { html, type Html } from '../html.ts'
import { foreignForm } from '../messages.ts'
import { moment } from '../moments.ts'
import { posted } from '../posted.ts'
import { forSignedIn } from '../presence.ts'
import { provenance } from '../provenance.ts'
import type { PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'

const pageSize = 25

export async function grantsSection(
  context: Context,
  request: PageRequest,
  { user }: Presence,
  token: Html,
): Promise<Html> {
  const { items, next } = await context.store.grants.list({
    scope: null,
    client: null,
    user: user.id,
    project: null,
    state: 'active',
    limit: pageSize,
    after: request.query.get('after'),
  })
  if (items.length === 0) return html`<p class="lead">You have not allowed any application anything.</p>`
  return html`<ul class="rows">
      ${await Promise.all(items.map((grant) => row(context, grant, token)))}
    </ul>
    ${next === null ? null : html`<p class="actions"><a class="button" href="${context.href(`/me?after=${encodeURIComponent(next)}`)}">More</a></p>`}`
}

async function row(context: Context, grant: Grant, token: Html): Promise<Html> {
  const { credentials, projects, accounts } = context.store
  const client = await credentials.find({ id: grant.client, scope: null })
  const project = await projects.find({ id: grant.project, scope: null })
  const account = await accounts.find({ id: grant.account })
  const name = client?.name ?? grant.client
  return html`<li>
    <div>
      ${name}
      <span class="sub"
        >${account?.name ?? grant.account} / ${project?.name ?? grant.project} · since ${moment(grant.createdAt)}</span
      >
      <span class="sub mono">${grant.scopes.join(' ')}</span>
    </div>
    <form class="inline" method="post" action="${context.href('/me/grants/withdraw')}">
      ${token}${hidden('id', grant.id)}<button class="small danger">
        Withdraw<span class="hidden"> access of ${name}</span>
      </button>
    </form>
  </li>`
}

export function withdrawGrant(context: Context): Page {
  return async (request) =>
    await forSignedIn(context, request, async ({ session, user }) => {
      if (posted(context, request, 'me', session.id).kind !== 'good') return foreignForm(context, request)
      const id = request.form.get('id') ?? ''
      const by = provenance(request, user.id)
      const withdrawn = await context.store.grants.withdraw({ id, user: user.id, scope: null, by })
      return context.to(request, context.applied(withdrawn).ok ? '/me?done=withdrawn' : '/me')
    })
}
