import { headerValue } from '../core/decision/headers.ts'
import type { PageRequest } from './request.ts'

/**
 * Whether a form was sent by a page of ours, as the browser says (Fetch Metadata). Without it the Origin header has to
 * be ours; our own pages send `null` there, because they have no referrer, so that such a browser is refused rather
 * than believed. A sealed field is asked for as well.
 */
export function isSameOrigin({ received: { facts } }: PageRequest, publicUrl: string): boolean {
  const site = headerValue(facts.headers, 'sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  return headerValue(facts.headers, 'origin') === new URL(publicUrl).origin
}
