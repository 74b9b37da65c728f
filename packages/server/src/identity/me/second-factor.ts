import type { Secret } from '../../base/secret.ts'
import { Secret as Clear } from '../../base/secret.ts'
import type { Answer } from '../../core/decision/answer.ts'
import type { Context, Page } from '../context.ts'
import { errorSummary, type Errors, field } from '../fields.ts'
import { html } from '../html.ts'
import { foreignForm } from '../messages.ts'
import { formField, lateText, posted } from '../posted.ts'
import { forRecent } from '../presence.ts'
import { provenance } from '../provenance.ts'
import { qrCode } from '../qr.ts'
import { newRecoveryCodes } from '../recovery-codes.ts'
import type { PageRequest } from '../request.ts'
import type { Presence } from '../sessions.ts'
import { grouped, newTotpSecret, otpauthLink, totpStepOf } from '../totp.ts'
import { notStored } from './password.ts'

const enrolment = 'second factor on'
const management = 'second factor'
const path = '/me/second-factor'

export function secondFactorPage(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, path, async (presence) =>
      presence.user.secondFactor
        ? manage(context, request, presence, null)
        : enrol(context, request, presence, { secret: newTotpSecret(context.random), errors: {} }),
    )
}

/** The secret travels sealed in the form until a code shows that the app has it: nothing is stored before. */
export function turnOnSecondFactor(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, path, async (presence) => {
      const { session, user } = presence
      const opened = posted(context, request, enrolment, session.id)
      if (opened.kind === 'foreign') return foreignForm(context, request)
      const secret = opened.kind === 'good' ? new Clear(opened.held['secret'] ?? '') : newTotpSecret(context.random)
      if (opened.kind === 'late') return enrol(context, request, presence, { secret, errors: { code: lateText } })
      if (user.secondFactor) return context.to(request, path)
      const step = totpStepOf(secret, request.form.get('code') ?? '', context.clock.now())
      if (step === null) return enrol(context, request, presence, { secret, errors: { code: wrongText } })
      const totp = context.sealing.sealTotp(secret, user.id)
      return await store(context, request, presence, { totp, step })
    })
}

/** New recovery codes for the factor that there is; the old ones are dead. */
export function renewRecoveryCodes(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, path, async (presence) => {
      const { session, user } = presence
      if (posted(context, request, management, session.id).kind !== 'good') return foreignForm(context, request)
      const proofs = await context.store.people.proofsOf({ id: user.id })
      if (proofs === null || proofs.totp === null) return context.to(request, path)
      return await store(context, request, presence, { totp: proofs.totp, step: proofs.totpStep })
    })
}

export function turnOffSecondFactor(context: Context): Page {
  return async (request) =>
    await forRecent(context, request, path, async (presence) => {
      const { session, user } = presence
      if (posted(context, request, management, session.id).kind !== 'good') return foreignForm(context, request)
      const by = provenance(request, user.id)
      const { people } = context.store
      const change = { user: user.id, factor: null, keepSession: session.id, by }
      if (!context.applied(await people.setSecondFactor(change)).ok)
        return manage(context, request, presence, notStored)
      const cookie = await context.sessions.renew(presence)
      return context.to(request, cookie === null ? '/sign-in' : '/me?done=factor-off', cookie ?? [])
    })
}

async function store(
  context: Context,
  request: PageRequest,
  presence: Presence,
  factor: Pick<NonNullable<Parameters<Context['store']['people']['setSecondFactor']>[0]['factor']>, 'totp' | 'step'>,
): Promise<Answer> {
  const { session, user } = presence
  const { codes, digests } = newRecoveryCodes(context.random)
  const changed = context.applied(
    await context.store.people.setSecondFactor({
      user: user.id,
      factor: { ...factor, recoveryDigests: digests },
      keepSession: session.id,
      by: provenance(request, user.id),
    }),
  )
  if (!changed.ok) return manage(context, request, presence, notStored)
  const cookie = await context.sessions.renew(presence)
  return recoveryCodes(context, request, codes, cookie ?? [])
}

/** Once: only their digests are kept. */
function recoveryCodes(
  context: Context,
  request: PageRequest,
  codes: readonly Secret[],
  headers: readonly string[],
): Answer {
  return context.page(request, {
    title: 'Recovery codes',
    shape: 'roomy',
    headers,
    content: html`<h1>Recovery codes</h1>
      <p class="lead">
        The second factor is on. Keep these codes where you keep your most important papers: each works once in place of
        a code of the app. They are shown now and never again.
      </p>
      <ul class="codes" aria-label="Recovery codes">
        ${codes.map((code) => html`<li><code>${code.reveal()}</code></li>`)}
      </ul>
      <p class="actions"><a class="button primary" href="${context.href('/me')}">I have kept them</a></p>`,
  })
}

function enrol(
  context: Context,
  request: PageRequest,
  { session, user }: Presence,
  { secret, errors }: { readonly secret: Secret; readonly errors: Errors },
): Answer {
  const link = otpauthLink(secret, context.declaration().brand, user.email)
  return context.page(request, {
    title: 'Set up a second factor',
    status: Object.keys(errors).length === 0 ? 200 : 422,
    shape: 'roomy',
    content: html`<h1>Set up a second factor</h1>
      <p class="lead">Scan it with an authenticator app, then enter the code that the app shows.</p>
      ${errorSummary(errors)}
      <figure class="qr">${qrCode(link, 'QR code of the key')}</figure>
      <div class="field enrol">
        <span class="label" id="key">Or type the key</span>
        <p class="secret"><code aria-labelledby="key">${grouped(secret)}</code></p>
        <p class="hint">
          Time-based, six digits, 30 seconds. On this device: <a href="${link.reveal()}">open it in an app</a>.
        </p>
      </div>
      <form novalidate method="post" action="${context.href(path)}">
        ${formField(context, enrolment, session.id, { secret: secret.reveal() })}
        ${field({ name: 'code', label: 'Code that the app shows', autocomplete: 'one-time-code', code: 'digits', autofocus: true }, errors)}
        <button class="primary">Turn on</button>
      </form>`,
    below: html`<a href="${context.href('/me')}">Not now</a>`,
  })
}

function manage(context: Context, request: PageRequest, { session }: Presence, general: string | null): Answer {
  const token = formField(context, management, session.id)
  return context.page(request, {
    title: 'Second factor',
    status: general === null ? 200 : 409,
    shape: 'roomy',
    content: html`<h1>Second factor</h1>
      <p class="lead">It is on. Both of these end your other sessions.</p>
      ${errorSummary({}, general)}
      <ul class="rows facts">
        <li>
          <div>Recovery codes<span class="sub">Ten new ones; the old ones are void.</span></div>
          <form class="inline" method="post" action="${context.href(`${path}/codes`)}">
            ${token}<button class="small">Make new codes</button>
          </form>
        </li>
        <li>
          <div>Authenticator app<span class="sub">The password alone would be enough to sign in.</span></div>
          <form class="inline" method="post" action="${context.href(`${path}/off`)}">
            ${token}<button class="small danger">Turn off</button>
          </form>
        </li>
      </ul>`,
    below: html`<a href="${context.href('/me')}">Leave it as it is</a>`,
  })
}

const wrongText = 'The code does not fit. Check that the clock of the phone is right, and enter the newest code.'
