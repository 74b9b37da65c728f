import type { User } from '../core/people/user.ts'
import type { Context } from './context.ts'
import { provenance } from './provenance.ts'
import type { PageRequest } from './request.ts'

/**
 * Tells that somebody failed to sign in, to the person concerned and to the operator: not each guess, but the first in
 * ten minutes. Nobody waits for it, so that it does not tell by its time whether the address is somebody's.
 */
export function tellFailure(
  context: Context,
  request: PageRequest,
  user: User | null,
  stage: 'password' | 'second factor',
): void {
  if (user === null || !context.failures.isDue(user.id)) return
  const { people } = context.store
  const by = provenance(request, null)
  people.note({ user: user.id, action: 'user.sign_in_failed', details: { stage }, by }).then(
    (noted) => context.applied(noted),
    (error: unknown) => context.reportFault('sign_in.failed', { user: user.id }, error),
  )
}
