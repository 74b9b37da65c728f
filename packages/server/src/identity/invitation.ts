import type { Answer } from '../core/decision/answer.ts'
import { linkDigestOf } from '../core/people/link.ts'
import type { Invitation } from '../core/people/member.ts'
import type { Context, Page } from './context.ts'
import { errorSummary, type Errors, field } from './fields.ts'
import { html } from './html.ts'
import { busy, foreignForm, inWords, message, retryAfter } from './messages.ts'
import { newPasswordFields, readNewPassword } from './new-password.ts'
import { browserOf, formField, posted } from './posted.ts'
import { provenance } from './provenance.ts'
import type { PageRequest } from './request.ts'
import type { Presence } from './sessions.ts'
import { noteSignIn } from './sign-in.ts'

const purpose = 'invitation'
/** For the way back from signing in: the secret itself stays out of addresses. */
const heldPurpose = 'invitation link'
const heldMs = 60 * 60_000

/** `/invitation/{secret}`: the link that somebody was sent. Its secret goes on in the form alone. */
export function invitationLinkPage(context: Context): Page {
  return async (request) => await look(context, request, request.path.slice(request.path.lastIndexOf('/') + 1))
}

/** `/invitation?held=…`: the same after signing in. */
export function invitationPage(context: Context): Page {
  return async (request) => {
    const opened = context.forms.open(heldPurpose, browserOf(context, request).id, request.query.get('held'))
    return opened.kind === 'good' ? await look(context, request, opened.held['secret'] ?? '') : dead(context, request)
  }
}

async function look(context: Context, request: PageRequest, secret: string): Promise<Answer> {
  const gate = context.attempts.link(request.ip)
  if (gate.kind !== 'open') return tooMany(context, request, gate.kind === 'wait' ? gate.ms : 0)
  const digest = linkDigestOf(secret)
  const invitation =
    digest === null ? null : await context.store.people.findInvitation({ digest, now: context.clock.now() })
  if (invitation === null) return dead(context, request)
  gate.right()
  return await offer(context, request, { secret, invitation, errors: {}, name: '', general: null })
}

interface Offer {
  readonly secret: string
  readonly invitation: Invitation
  readonly errors: Errors
  readonly name: string
  readonly general: string | null
}

async function offer(context: Context, request: PageRequest, offered: Offer): Promise<Answer> {
  const { invitation } = offered
  const presence = await context.sessions.signedIn(request)
  if (presence?.user.email === invitation.email) return await join(context, request, offered, presence)
  const known = await context.store.people.proofsOf({ email: invitation.email })
  if (presence !== null || known !== null) return await signInFirst(context, request, offered, presence)
  return await welcome(context, request, offered)
}

async function welcome(context: Context, request: PageRequest, offered: Offer): Promise<Answer> {
  const { invitation, errors, secret, name, general } = offered
  const account = await accountName(context, invitation)
  const { id: browser, headers } = browserOf(context, request)
  return context.page(request, {
    title: `Join ${account}`,
    status: Object.keys(errors).length === 0 && general === null ? 200 : 422,
    headers,
    content: html`<h1>Join ${account}</h1>
      <p class="lead">You are invited as <b>${invitation.role}</b>. Choose what you sign in with.</p>
      ${errorSummary(errors, general)}
      <form novalidate method="post" action="${context.href('/invitation')}">
        ${formField(context, purpose, browser, { secret })}
        ${field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', value: invitation.email, readonly: true })}
        ${field({ name: 'name', label: 'Your name', autocomplete: 'name', value: name, autofocus: true }, errors)}
        ${newPasswordFields(errors, false)}
        <button class="primary">Join ${account}</button>
      </form>`,
  })
}

async function join(
  context: Context,
  request: PageRequest,
  { invitation, secret, general }: Offer,
  { user }: Presence,
): Promise<Answer> {
  const account = await accountName(context, invitation)
  const { id: browser, headers } = browserOf(context, request)
  return context.page(request, {
    title: `Join ${account}`,
    status: general === null ? 200 : 409,
    headers,
    content: html`<h1>Join ${account}</h1>
      <p class="lead">You are invited as <b>${invitation.role}</b>, and signed in as <b>${user.email}</b>.</p>
      ${errorSummary({}, general)}
      <form novalidate method="post" action="${context.href('/invitation')}">
        ${formField(context, purpose, browser, { secret })}
        <button class="primary">Join ${account}</button>
      </form>`,
    below: html`<a href="${context.href('/me')}">Not now</a>`,
  })
}

async function signInFirst(
  context: Context,
  request: PageRequest,
  { invitation, secret }: Offer,
  presence: Presence | null,
): Promise<Answer> {
  const { id: browser, headers } = browserOf(context, request)
  const held = context.forms.seal(heldPurpose, browser, { secret }, heldMs)
  const way = encodeURIComponent(`/invitation?held=${held}`)
  return message(context, request, {
    status: 200,
    title: `Join ${await accountName(context, invitation)}`,
    text:
      presence === null
        ? `The invitation is for ${invitation.email}, which somebody signs in with already. Sign in with it to join.`
        : `The invitation is for ${invitation.email}, but you are signed in as ${presence.user.email}. Sign in with the address that was invited.`,
    action: html`<a
      class="button primary"
      href="${context.href(`/sign-in?${presence === null ? '' : 'other=1&'}continue=${way}`)}"
      >Sign in</a
    >`,
    headers,
  })
}

export function acceptInvitation(context: Context): Page {
  return async (request) => {
    const opened = posted(context, request, purpose, browserOf(context, request).id)
    if (opened.kind !== 'good') return foreignForm(context, request)
    const secret = opened.held['secret'] ?? ''
    const digest = linkDigestOf(secret)
    const { people } = context.store
    const invitation = digest === null ? null : await people.findInvitation({ digest, now: context.clock.now() })
    if (digest === null || invitation === null) return dead(context, request)
    const presence = await context.sessions.signedIn(request)
    const offered = {
      secret,
      invitation,
      errors: {},
      name: (request.form.get('name') ?? '').slice(0, 200),
      general: null,
    }
    const member = context.ids.next('mem')
    if (presence !== null) {
      const { id } = presence.user
      const by = provenance(request, id)
      const joined = context.applied(await people.acceptInvitation({ digest, member, user: id, newUser: null, by }))
      if (joined.ok) return context.to(request, '/me?done=joined')
      if (joined.error.code === 'not_found') return dead(context, request)
      return await offer(context, request, { ...offered, general: refusalText(joined.error) })
    }
    return await signUp(context, request, { offered, digest, member })
  }
}

async function signUp(
  context: Context,
  request: PageRequest,
  { offered, digest, member }: { readonly offered: Offer; readonly digest: Uint8Array; readonly member: string },
): Promise<Answer> {
  const { invitation } = offered
  const { brand } = context.declaration()
  const name = offered.name.trim()
  const { password, errors } = readNewPassword(request, [invitation.email, name, brand])
  const all = {
    ...(!isName(name) && { name: 'Enter the name that others see, of at most 100 characters.' }),
    ...errors,
  }
  if (Object.keys(all).length > 0) return await offer(context, request, { ...offered, errors: all })
  const hashed = await context.passwords.hash(password)
  if (!hashed.ok) return busy(context, request)
  const user = context.ids.next('usr')
  const newUser = { name, passwordHash: hashed.value }
  const by = provenance(request, user)
  const { people } = context.store
  const accepted = context.applied(await people.acceptInvitation({ digest, member, user, newUser, by }))
  if (!accepted.ok && accepted.error.code === 'not_found') return dead(context, request)
  if (!accepted.ok) return await offer(context, request, { ...offered, general: refusalText(accepted.error) })
  const made = await people.findUser({ id: accepted.value.user })
  if (made === null) throw new Error('whoever has just joined is not there')
  const cookie = await context.sessions.start(request, made, 'signed_in')
  if (cookie === null) return context.to(request, '/sign-in')
  await noteSignIn(context, request, made.id, 'invitation')
  return context.to(request, '/me?done=joined', [...cookie, ...context.devices.remember(made.email)])
}

/** What others see; nothing that turns the direction of text or hides in it. */
const isName = (name: string): boolean => name.length > 0 && name.length <= 100 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)

const refusalText = (refusal: { readonly code: string; readonly what?: string }): string =>
  refusal.what ?? 'It could not be stored just now. Try again in a while.'

async function accountName(context: Context, { account }: Invitation): Promise<string> {
  return (await context.store.accounts.find({ id: account }))?.name ?? account
}

function dead(context: Context, request: PageRequest): Answer {
  return message(context, request, {
    status: 404,
    title: 'This invitation is not open',
    text: 'It was accepted, has expired, was withdrawn, or the link is cut off. Ask whoever sent it for another one.',
  })
}

export function tooMany(context: Context, request: PageRequest, ms: number): Answer {
  return message(context, request, {
    status: 429,
    title: 'Too many links were tried',
    text: `Links that nobody was sent were tried from here too often. Try again in ${inWords(ms)}.`,
    headers: retryAfter(ms),
  })
}
