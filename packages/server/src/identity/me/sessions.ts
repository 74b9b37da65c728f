import type { Context, Page } from '../context.ts'
import { hidden } from '../fields.ts'
import { html, type Html } from '../html.ts'
import { foreignForm } from '../messages.ts'
import { ago, moment } from '../moments.ts'
import { posted } from '../posted.ts'
import { forSignedIn } from '../presence.ts'
import { provenance } from '../provenance.ts'
import { idleMs, type Presence } from '../sessions.ts'
import { browserName } from '../user-agent.ts'

export async function sessionsSection(context: Context, { session: own, user }: Presence, token: Html): Promise<Html> {
  const now = context.clock.now()
  const sessions = await context.store.people.listSessions({ user: user.id, now, idleMs })
  const others = sessions.filter(({ id }) => id !== own.id)
  const action = context.href('/me/sessions/end')
  return html`<ul class="rows">
      <li>
        <div>
          ${browserName(own.userAgent)} <span class="tag">this one</span>
          <span class="sub">${own.ip} · signed in ${moment(own.createdAt)}</span>
        </div>
      </li>
      ${others.map(
        ({ id, ip, userAgent, createdAt, lastSeenAt }) =>
          html`<li>
            <div>
              ${browserName(userAgent)}
              <span class="sub">${ip} · signed in ${moment(createdAt)} · last used ${ago(lastSeenAt, now)}</span>
            </div>
            <form class="inline" method="post" action="${action}">
              ${token}${hidden('id', id)}<button class="small">
                End<span class="hidden"> session of ${browserName(userAgent)}</span>
              </button>
            </form>
          </li>`,
      )}
    </ul>
    ${
      others.length < 2
        ? null
        : html`<form class="inline" method="post" action="${action}">
            ${token}<button>End all other sessions</button>
          </form>`
    }`
}

/** One of the person's sessions (`id`), or all but this one. */
export function endSessions(context: Context): Page {
  return async (request) =>
    await forSignedIn(context, request, async ({ session: own, user }) => {
      if (posted(context, request, 'me', own.id).kind !== 'good') return foreignForm(context, request)
      const { people } = context.store
      const id = request.form.get('id')
      const live = await people.listSessions({ user: user.id, now: context.clock.now(), idleMs })
      const ending = live.filter((session) => (id === null ? session.id !== own.id : session.id === id))
      for (const session of ending) {
        context.applied(await people.endSession({ id: session.id, user: user.id, by: provenance(request, user.id) }))
      }
      return context.to(request, `/me?done=${id === null ? 'sessions' : 'session'}`)
    })
}
