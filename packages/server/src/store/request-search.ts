import { itemAt, bodyOf, headOf, rareOf, requestAt } from '../core/usage/request-blocks.ts'
import type { RequestFilter, RequestRow } from '../core/usage/usage.ts'

/** The term that all requests of a filter have, the rarest of them; null: only time is asked for. */
export function termOf({ account, project, credential, api, code, status }: RequestFilter): string | null {
  if (credential !== null) return code === null ? `credential ${credential}` : `credential ${credential} ${code}`
  if (account !== null && code !== null) return `account ${account} ${code}`
  if (project !== null) return `project ${project}`
  if (account !== null) return `account ${account}`
  if (code !== null) return `code ${code}`
  if (status !== null) return `status ${status}`
  return api === null ? null : `api ${api}`
}

/** By what the requests of a block can be found, each once. */
export function termsOf(rows: string): readonly string[] {
  const { who, what, refusals } = headOf(rows)
  const terms = new Set<string>()
  for (const [account, project, credential] of who) {
    if (account !== null) terms.add(`account ${account}`)
    if (project !== null) terms.add(`project ${project}`)
    if (credential !== null) terms.add(`credential ${credential}`)
  }
  for (const [api, , , status, code] of what) {
    if (api !== null) terms.add(`api ${api}`)
    if (code !== null) terms.add(`code ${code}`)
    terms.add(`status ${status}`)
  }
  // Refusals are few, and a rare code of one account would else be looked for among all its requests.
  for (const [whoIndex, whatIndex] of refusals) {
    const [account, , credential] = itemAt(who, whoIndex)
    const [, , , , code] = itemAt(what, whatIndex)
    if (account !== null) terms.add(`account ${account} ${code}`)
    if (credential !== null) terms.add(`credential ${credential} ${code}`)
  }
  return [...terms]
}

/** The requests of a block that the filter finds, in any order. Only these become objects. */
export function matchingRequests(
  rows: string,
  filter: RequestFilter,
  idMatches: (id: string) => boolean,
): readonly RequestRow[] {
  const head = headOf(rows)
  const { account, project, credential, api, code, status } = filter
  const who = head.who.map(
    ([itsAccount, itsProject, itsCredential]) =>
      (account ?? itsAccount) === itsAccount &&
      (project ?? itsProject) === itsProject &&
      (credential ?? itsCredential) === itsCredential,
  )
  const what = head.what.map(
    ([itsApi, , , itsStatus, itsCode]) =>
      (api ?? itsApi) === itsApi && (code ?? itsCode) === itsCode && (status ?? itsStatus) === itsStatus,
  )
  if (!who.includes(true) || !what.includes(true)) return []
  const body = bodyOf(rows)
  const rare = rareOf(body)
  return body.id.flatMap((id, index) => {
    const asked = who[itemAt(body.who, index)] === true && what[itemAt(body.what, index)] === true
    return asked && idMatches(id) ? [requestAt(head, body, rare, index)] : []
  })
}
