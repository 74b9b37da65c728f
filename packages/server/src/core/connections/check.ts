import type { IpRanges } from '../../base/ip.ts'
import type { Secret } from '../../base/secret.ts'
import type { OutboundAnswer, OutboundRequest } from '../outbound.ts'
import type { CheckReason, Settings } from './connection.ts'
import { injectionOf } from './injection.ts'
import type { CheckCall, Platform } from './platform.ts'

/** A check reads no more of an answer than this, and waits no longer. */
const bounds = { timeoutMs: 10_000, bodyBytesMax: 65_536 } as const

export interface Checkable {
  readonly platform: Platform
  readonly settings: Settings
  readonly secrets: ReadonlyMap<string, Secret>
}

/** The call that tells whether the credential is good; or a sentence that says why there is none. */
export function checkRequest(
  { platform, settings, secrets }: Checkable,
  allowedPrivate: IpRanges,
): OutboundRequest | { readonly none: string } {
  const { check } = platform
  if ('none' in check) return check
  const base = platform.base(settings)
  const path = check.path(settings)
  if (base === null || path === null) {
    return { none: 'The settings of the connection name no base URL and path of a call that changes nothing.' }
  }
  const places = platform.places(settings)
  const injected = injectionOf(
    places.filter((place) => place.in !== 'body'),
    settings,
    secrets,
  )
  if (!injected.ok) throw new Error('places in the body were left out')
  const { lines, parameter } = injected.value
  const url = new URL(base + path)
  url.search = [url.search.slice(1), parameter].filter((text) => text !== '').join('&')
  const members = places.flatMap((place) =>
    place.in === 'body' ? [[place.name, secrets.get(place.field)?.reveal() ?? '']] : [],
  )
  const body = check.method === 'POST' ? JSON.stringify(Object.fromEntries(members)) : null
  const headers = [...check.headers.flat(), ...(body === null ? [] : ['Content-Type', 'application/json']), ...lines]
  return { method: check.method, url, headers, body, allowedPrivate, ...bounds }
}

/** What the platform's answer says of the credential. Nothing of the answer itself is kept. */
export function verdictOf(platform: Platform, answer: OutboundAnswer): { reason: CheckReason; status: number | null } {
  if (answer.kind === 'failed') return { reason: answer.reason, status: null }
  const { check } = platform
  return { reason: 'none' in check ? 'ok' : reasonOf(check, answer), status: answer.status }
}

function reasonOf(check: CheckCall, { status, body }: { readonly status: number; readonly body: string }): CheckReason {
  if (status === check.status) {
    return check.contains === null || withoutSpace(body).includes(check.contains) ? 'ok' : 'credential_refused'
  }
  if (check.refusals.includes(status)) return 'credential_refused'
  if (status === 429) return 'platform_busy'
  return status >= 500 ? 'platform_failed' : 'unexpected_answer'
}

const withoutSpace = (text: string): string => text.replaceAll(/\s/g, '')

/** The sentence for people: what happened and what to do next. */
export function explainCheck(platform: Platform, reason: CheckReason, status: number | null): string {
  const { name, check } = platform
  const needs = 'none' in check || check.needs === null ? '' : ` The call needs ${check.needs}.`
  switch (reason) {
    case 'ok':
      return `${name} accepts the credential.`
    case 'credential_refused':
      return `${name} answered ${status}: it does not accept the credential.${needs} Rotate the connection with a good one.`
    case 'unexpected_answer':
      return `${name} answered ${status}, which says nothing of the credential. Look at the settings of the connection.`
    case 'platform_busy':
      return `${name} answered 429: it takes no more calls for now. Check again later.`
    case 'platform_failed':
      return `${name} answered ${status}: it has a fault of its own. Check again later.`
    case 'timeout':
      return `${name} did not answer in time. Check again later.`
    case 'host_unknown':
      return `The host of ${name} has no address. Look at the settings of the connection and at the name service.`
    case 'address_forbidden':
      return `The host of ${name} has an address that is not public, or the URL is plain HTTP. The operator can allow an own network in postern.yaml under connections.allow_private.`
    case 'unreachable':
      return `No connection to ${name} could be made. Look at the settings of the connection and at the network.`
    case 'tls_failed':
      return `The certificate of ${name} could not be verified. Nothing was sent.`
    case 'seal_broken':
      return 'The sealed credential cannot be opened here: keys/standing/connections.key is not the file that it was sealed with. Restore that file, or rotate the connection.'
  }
}
