import type { Answer } from '../core/decision/answer.ts'
import type { Context } from './context.ts'
import { html, type Html } from './html.ts'
import type { PageRequest } from './request.ts'

/** A page that only says something: what happened, why, and what to do next. */
export function message(
  context: Context,
  request: PageRequest,
  parts: {
    readonly status: number
    readonly title: string
    readonly text: string
    readonly next?: Html
    /** A button. */
    readonly action?: Html
    readonly headers?: readonly string[]
  },
): Answer {
  const { status, title, text, next, action, headers } = parts
  return context.page(request, {
    title,
    status,
    ...(headers !== undefined && { headers }),
    content: html`<h1>${title}</h1>
      <p class="lead">${text}</p>
      ${action === undefined ? null : html`<p class="actions">${action}</p>`}`,
    ...(next !== undefined && { below: next }),
  })
}

/** A form that no page of ours sent to this browser, or whose session has ended. */
export function foreignForm(context: Context, request: PageRequest): Answer {
  return message(context, request, {
    status: 403,
    title: 'This form could not be taken',
    text: 'It was not sent by a page of this site to this browser, or you have signed in or out since. Nothing was done. Open the page anew.',
    next: html`<a href="${context.href('/me')}">Your account</a>`,
  })
}

export function busy(context: Context, request: PageRequest): Answer {
  return message(context, request, {
    status: 503,
    title: 'Too many people are signing in',
    text: 'Nothing was checked and nothing was counted. Try again in a few seconds.',
    headers: ['Retry-After', '5'],
  })
}

/** `1 second`, `15 minutes`. */
export function inWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  const [count, unit] = seconds < 120 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

export const retryAfter = (ms: number): readonly string[] => ['Retry-After', String(Math.max(1, Math.ceil(ms / 1000)))]
