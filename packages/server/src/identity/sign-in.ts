import { Secret } from '../base/secret.ts'
import type { Answer } from '../core/decision/answer.ts'
import { emailOf } from '../core/people/email.ts'
import type { UserProofs } from '../core/people/user.ts'
import type { Gate } from './attempts.ts'
import type { Context, Page } from './context.ts'
import { errorSummary, type Errors, field, okNote } from './fields.ts'
import { html } from './html.ts'
import { busy, foreignForm, inWords, retryAfter } from './messages.ts'
import { passwordLengthMax } from './password-rules.ts'
import { browserOf, formField, lateText, posted } from './posted.ts'
import { provenance } from './provenance.ts'
import type { PageRequest } from './request.ts'
import { provesFactor } from './second-factor.ts'
import { tellFailure } from './sign-in-events.ts'
import { visitorOf } from './visitor.ts'
import { wayBack } from './way-back.ts'

const purpose = 'sign-in'

export function signInPage(context: Context): Page {
  return async (request) => {
    const present = await context.sessions.signedIn(request)
    const again = request.query.get('again') === '1'
    const other = request.query.get('other') === '1'
    if (present !== null && !again && !other) return context.to(request, wayOn(request))
    return await form(context, request, present === null || other ? {} : { email: present.user.email, confirms: true })
  }
}

/**
 * What is answered to a wrong password is the same, and takes as long, whether somebody has that address or not, is
 * disabled, or was guessed at too often (statement 79).
 */
export function signIn(context: Context): Page {
  return async (request) => {
    const opened = posted(context, request, purpose, browserOf(context, request).id)
    if (opened.kind === 'foreign') return foreignForm(context, request)
    const email = emailOf(request.form.get('email') ?? '')
    const password = new Secret(request.form.get('password') ?? '')
    const shown = {
      email: (request.form.get('email') ?? '').slice(0, 256),
      asksCode: request.form.get('code') !== null,
    }
    if (opened.kind === 'late') return await form(context, request, { ...shown, general: lateText, status: 422 })
    const errors = missing(email, password)
    if (email === null || Object.keys(errors).length > 0) {
      return await form(context, request, { ...shown, errors, status: 422 })
    }
    const code = request.form.get('code') ?? ''
    const device = context.devices.knownFor(request, email)
    const gate = context.attempts.password({ email, ip: request.ip, device, withFactor: code !== '' })
    if (gate.kind === 'wait') return await form(context, request, { ...shown, ...waits(gate.ms) })
    if (gate.kind === 'factor_needed') return await form(context, request, { ...shown, ...needsCode })
    return await check(context, request, { email, password, code, gate, shown })
  }
}

interface Presented {
  readonly email: string
  readonly password: Secret
  /** Empty where it was not asked for together with the password. */
  readonly code: string
  readonly gate: Extract<Gate, { readonly kind: 'open' }>
  readonly shown: Shown
}

async function check(context: Context, request: PageRequest, presented: Presented): Promise<Answer> {
  const { email, password, code, gate, shown } = presented
  const proofs = await context.store.people.proofsOf({ email })
  const verified = await context.passwords.verify(password, proofs?.passwordHash ?? null, gate.known)
  if (!verified.ok) {
    gate.right()
    return busy(context, request)
  }
  const known = verified.value && proofs !== null && proofs.user.state === 'active' ? proofs : null
  const right = known !== null && (code === '' || (await provesFactor(context, request, known, code))) ? known : null
  if (right === null) {
    tellFailure(context, request, proofs?.user ?? null, 'password')
    return await form(context, request, { ...shown, general: wrongText(shown.asksCode === true), status: 422 })
  }
  gate.right()
  return await letIn(context, request, right, code !== '')
}

async function letIn(
  context: Context,
  request: PageRequest,
  { user, totp }: UserProofs,
  proved: boolean,
): Promise<Answer> {
  const halfway = totp !== null && !proved
  const cookie = await context.sessions.start(request, user, halfway ? 'password' : 'signed_in')
  const way = encodeURIComponent(wayOn(request))
  if (cookie === null) return context.to(request, `/sign-in?continue=${way}`)
  if (halfway) return context.to(request, `/sign-in/factor?continue=${way}`, cookie)
  await noteSignIn(context, request, user.id, totp === null ? 'password' : 'password and second factor')
  return context.to(request, wayOn(request), [...cookie, ...context.devices.remember(user.email)])
}

export async function noteSignIn(context: Context, request: PageRequest, user: string, by: string): Promise<void> {
  const noted = await context.store.people.note({
    user,
    action: 'user.signed_in',
    details: { by },
    by: provenance(request, user),
  })
  // A disk that is full keeps nobody from signing in to do something about it.
  context.applied(noted)
}

export const wayOn = ({ query }: PageRequest): string => wayBack(query.get('continue')) ?? '/me'

interface Shown {
  readonly email?: string
  /** Somebody is signed in and has to prove it once more. */
  readonly confirms?: boolean
  readonly asksCode?: boolean
  readonly errors?: Errors
  readonly general?: string
  readonly status?: number
  readonly headers?: readonly string[]
}

async function form(context: Context, request: PageRequest, shown: Shown): Promise<Answer> {
  const { id: browser, headers } = browserOf(context, request)
  const { email = '', errors = {}, confirms = false, asksCode = false, general = null } = shown
  const visitor = await visitorOf(context, request, wayOn(request))
  const again = confirms || request.query.get('again') === '1'
  const title = again ? 'Confirm that it is you' : 'Sign in'
  const action = `/sign-in?${again ? 'again=1&' : ''}${request.query.get('other') === '1' ? 'other=1&' : ''}continue=${encodeURIComponent(wayOn(request))}`
  return context.page(request, {
    title,
    status: shown.status ?? 200,
    formsLeadTo: visitor.formsLeadTo,
    headers: [...headers, ...(shown.headers ?? [])],
    content: html`<h1>${title}</h1>
      <p class="lead">${again ? 'For this step, your password is needed once more.' : visitor.lead}</p>
      ${request.query.get('done') === 'reset' ? okNote('Your password is set. Sign in with it.') : null}
      ${errorSummary(errors, general)}
      <form novalidate method="post" action="${context.href(action)}">
        ${formField(context, purpose, browser)}
        ${field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', value: email, readonly: confirms, autofocus: email === '' }, errors)}
        ${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', autofocus: email !== '' }, errors)}
        ${asksCode ? codeField : null}
        <button class="primary">${again ? 'Continue' : 'Sign in'}</button>
      </form>`,
    below: again
      ? html`<a href="${context.href('/sign-out')}">Sign out instead</a>`
      : html`Forgotten your password? An administrator of your account can send you a link to set a new one.`,
  })
}

const codeField = field({
  name: 'code',
  label: 'Code of your second factor',
  autocomplete: 'one-time-code',
  code: 'any',
  optional: true,
})

function missing(email: string | null, password: Secret): Errors {
  const length = password.reveal().length
  return {
    ...(email === null && { email: 'Enter an e-mail address, such as ada@example.com.' }),
    ...(length === 0 && { password: 'Enter your password.' }),
    ...(length > 2 * passwordLengthMax && { password: `A password has at most ${passwordLengthMax} characters.` }),
  }
}

const wrongText = (withCode: boolean): string =>
  `The e-mail address${withCode ? ', the password or the code' : ' or the password'} is wrong. Check all of it and try again.`

const waits = (ms: number) => ({
  general: `There were too many failed attempts. Try again in ${inWords(ms)}.`,
  status: 429,
  headers: retryAfter(ms),
})

const needsCode = {
  general:
    'There were many failed attempts at this address from elsewhere, so that the password alone is not enough here. Enter the code of your second factor as well, use a browser in which you have signed in before, or try again later.',
  asksCode: true,
  status: 429,
  headers: retryAfter(2 * 60_000),
}
