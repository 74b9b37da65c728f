import type { Answer } from '../../core/decision/answer.ts'
import type { AuthorizationRequest } from '../../core/oauth/authorization.ts'
import type { Served } from '../../core/oauth/endpoint.ts'
import type { Context, Page } from '../context.ts'
import { html } from '../html.ts'
import { foreignForm, message } from '../messages.ts'
import { posted } from '../posted.ts'
import { askedAgain, type PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'
import { approve, refused } from './authorize.ts'
import { choicePage } from './choice.ts'
import { consentPage, purpose } from './consent.ts'
import { nowherePage } from './nowhere.ts'
import { placeOf, placesFor } from './places.ts'

/**
 * `POST /oauth/consent`: what the person decided. The request itself comes back in the sealed field and is read again,
 * so that it is the one that was shown, and still one that may be granted (statement 13).
 */
export function decide(context: Context): Page {
  return async (request) => {
    const presence = await context.sessions.signedIn(request)
    if (presence === null) return foreignForm(context, request)
    const opened = posted(context, request, purpose, presence.session.id)
    if (opened.kind === 'foreign') return foreignForm(context, request)
    const { target = '', account, project } = opened.held
    if (opened.kind === 'late') return tooLate(context, request, target)
    const read = await context.authorization.read(askedAgain(request, target))
    if (!read.ok) return refused(context, request, read.error)
    const chosen = account === undefined || project === undefined ? null : { account, project }
    return await take(context, request, { asked: read.value, presence, target, chosen })
  }
}

interface Taken {
  readonly asked: AuthorizationRequest
  readonly presence: Presence
  readonly target: string
  /** By the sealed field. */
  readonly chosen: { readonly account: string; readonly project: string } | null
}

async function take(context: Context, request: PageRequest, taken: Taken): Promise<Answer | Served> {
  const { asked, presence, target, chosen } = taken
  switch (request.form.get('decision') ?? '') {
    case 'refuse':
      return context.authorization.refuse(asked, 'access_denied', 'The person refused, or may not allow it.')
    case 'choose': {
      const [account = '', project = ''] = (request.form.get('place') ?? '').split('/')
      return await ask(context, request, taken, { account, project }, null)
    }
    case 'allow': {
      const place = chosen === null ? null : await placeOf(context, presence.user.id, asked, chosen)
      if (chosen === null || place === null) return await choose(context, request, taken)
      const scopes = place.scopes.filter((scope) => request.form.all('scope').includes(scope))
      if (scopes.length === 0) return await ask(context, request, taken, chosen, nothingChosen)
      return await approve(context, request, asked, { presence, place, scopes })
    }
    case 'back':
      return await choose(context, request, taken)
    default:
      return chosen === null
        ? await choose(context, request, { asked, presence, target, chosen })
        : await ask(context, request, taken, chosen, null)
  }
}

async function ask(
  context: Context,
  request: PageRequest,
  taken: Taken,
  chosen: { readonly account: string; readonly project: string },
  error: string | null,
): Promise<Answer> {
  const { asked, presence, target } = taken
  const place = await placeOf(context, presence.user.id, asked, chosen)
  if (place === null) return await choose(context, request, taken)
  const { places } = await placesFor(context, presence.user.id, asked)
  const several = places.length > 1
  return await consentPage(context, request, {
    asked,
    presence,
    target,
    place,
    several,
    ...(error !== null && { error }),
  })
}

async function choose(context: Context, request: PageRequest, { asked, presence, target }: Taken): Promise<Answer> {
  const { places, cut, nowhere } = await placesFor(context, presence.user.id, asked)
  return places.length === 0
    ? await nowherePage(context, request, { asked, presence, nowhere, target })
    : await choicePage(context, request, { asked, presence, target, places, cut })
}

const nothingChosen = 'Nothing is ticked. Tick what it may do, or refuse.'

function tooLate(context: Context, request: PageRequest, target: string): Answer {
  return message(context, request, {
    status: 422,
    title: 'This had been open for too long',
    text: 'Nothing was allowed and nothing refused.',
    action: html`<a class="button primary" href="${context.href(target)}">Look at it again</a>`,
  })
}
