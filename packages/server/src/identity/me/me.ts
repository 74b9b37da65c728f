import type { Answer } from '../../core/decision/answer.ts'
import type { Member } from '../../core/people/member.ts'
import type { Context, Page } from '../context.ts'
import { okNote } from '../fields.ts'
import { html, type Html } from '../html.ts'
import { offIcon, okIcon } from '../icons.ts'
import { formField } from '../posted.ts'
import { forSignedIn } from '../presence.ts'
import type { PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'
import { grantsSection } from './grants.ts'
import { sessionsSection } from './sessions.ts'

/** What a person may see and change of how they sign in. */
export function mePage(context: Context): Page {
  return async (request) =>
    await forSignedIn(context, request, async (presence) => await overview(context, request, presence))
}

async function overview(context: Context, request: PageRequest, presence: Presence): Promise<Answer> {
  const { user, session } = presence
  const members = await context.store.people.membershipsOf({ user: user.id })
  const done = doneTexts[request.query.get('done') ?? ''] ?? null
  const actionToken = formField(context, 'me', session.id)
  return context.page(request, {
    title: 'Your account',
    shape: 'wide',
    menu: html`<nav aria-label="Account">
      <span>${user.email}</span><a href="${context.href('/sign-out')}">Sign out</a>
    </nav>`,
    content: html`<h1>Your account</h1>
      ${done === null ? null : okNote(done)}
      ${section(
        'You',
        'Whose member you are.',
        html`<ul class="rows">
          <li>
            <div>${user.name}<span class="sub">${user.email}</span></div>
          </li>
          ${await Promise.all(members.map((member) => membership(context, member)))}
        </ul>`,
      )}
      ${section(
        'Password',
        'Changing it ends every other session and every application that stays signed in for you.',
        html`<ul class="rows">
          <li>
            <div>Kept as a hash<span class="sub">Nobody can read it; it can only be replaced.</span></div>
            <a class="button" href="${context.href('/me/password')}">Change password</a>
          </li>
        </ul>`,
      )}
      ${section(
        'Second factor',
        'A code from an app on your phone, asked for after the password.',
        html`<ul class="rows">
          <li>
            <div>
              ${
                user.secondFactor
                  ? html`<span class="status ok">${okIcon}On</span>`
                  : html`<span class="status off">${offIcon}Off</span>`
              }<span class="sub">Authenticator app</span>
            </div>
            <a class="button" href="${context.href('/me/second-factor')}">${user.secondFactor ? 'Manage' : 'Set up'}</a>
          </li>
        </ul>`,
      )}
      ${section('Sessions', 'Browsers in which you are signed in.', await sessionsSection(context, presence, actionToken))}
      ${section('Applications', 'What you have allowed others to do in your projects.', await grantsSection(context, request, presence, actionToken))}`,
  })
}

async function membership(context: Context, { account, role }: Member): Promise<Html> {
  const found = await context.store.accounts.find({ id: account })
  return html`<li>
    <div>${found?.name ?? account}<span class="sub">${role}</span></div>
  </li>`
}

function section(title: string, lead: string, content: Html): Html {
  return html`<section class="section">
    <div>
      <h2>${title}</h2>
      <p class="lead">${lead}</p>
    </div>
    <div>${content}</div>
  </section>`
}

const doneTexts: Readonly<Record<string, string>> = {
  joined: 'You have joined.',
  password: 'Your password is changed. Every other session has ended.',
  'factor-off': 'The second factor is off.',
  session: 'The session has ended.',
  sessions: 'All other sessions have ended.',
  withdrawn: 'The access is withdrawn. What the application held for it is dead.',
}
