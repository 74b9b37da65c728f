import type { Context } from './context.ts'
import { hidden } from './fields.ts'
import type { Held, Opened } from './forms.ts'
import type { Html } from './html.ts'
import type { PageRequest } from './request.ts'
import { isSameOrigin } from './same-origin.ts'

const fieldName = 'form'
/** As long as a page may be open before its form is sent. */
const lifeMs = 60 * 60_000

/** The hidden field that every form has. `holder`: the session, or the browser where nobody is signed in. */
export function formField(context: Context, purpose: string, holder: string, held: Held = {}): Html {
  return hidden(fieldName, context.forms.seal(purpose, holder, held, lifeMs))
}

/** What came back in it, where a page of ours sent it from the same browser or session. */
export function posted(context: Context, request: PageRequest, purpose: string, holder: string): Opened {
  return isSameOrigin(request, context.declaration().publicUrl)
    ? context.forms.open(purpose, holder, request.form.get(fieldName))
    : { kind: 'foreign' }
}

export const lateText = 'This page had been open for too long. Please enter it once more.'

/** A browser in which nobody is signed in; `headers` where it gets its cookie with this answer. */
export function browserOf(
  { cookies, random }: Context,
  request: PageRequest,
): { readonly id: string; readonly headers: readonly string[] } {
  const known = cookies.read(request, 'browser')
  if (known !== null && /^[A-Za-z0-9_-]{22}$/.test(known)) return { id: known, headers: [] }
  const id = Buffer.from(random.bytes(16)).toString('base64url')
  return { id, headers: cookies.set('browser', id, null) }
}
