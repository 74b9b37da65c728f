import type { Answer } from '../core/decision/answer.ts'
import type { Context } from './context.ts'
import type { PageRequest } from './request.ts'
import type { Presence } from './sessions.ts'

type Show = (presence: Presence) => Promise<Answer>

/** Whoever is not signed in signs in first, and comes back. */
export async function forSignedIn(context: Context, request: PageRequest, show: Show): Promise<Answer> {
  const presence = await context.sessions.signedIn(request)
  if (presence !== null) return await show(presence)
  const way = request.method === 'GET' ? request.target : '/me'
  return context.to(request, `/sign-in?continue=${encodeURIComponent(way)}`)
}

/**
 * As `forSignedIn`, for what changes how somebody signs in: password and second factor have to be recent
 * (statement 74). Otherwise they are asked for, and `way` is the page to begin at once more.
 */
export async function forRecent(context: Context, request: PageRequest, way: string, show: Show): Promise<Answer> {
  return await forSignedIn(context, request, async (presence) =>
    context.sessions.isRecent(presence)
      ? await show(presence)
      : context.to(request, `/sign-in?again=1&continue=${encodeURIComponent(way)}`),
  )
}
