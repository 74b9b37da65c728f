import { clientSource } from './client-source.ts'
import type { Context } from './context.ts'
import { askedAgain, type PageRequest } from './request.ts'

/** For whom somebody signs in: these pages, or a client that asks for access. */
export interface Visitor {
  readonly lead: string
  readonly formsLeadTo: readonly string[]
}

/**
 * Where a client waits, its redirect URI has to be a place that the form may lead to: what follows the sign-in can send
 * the browser straight back, and Chromium holds every redirect after a form against the policy of the form's page.
 */
export async function visitorOf(context: Context, request: PageRequest, way: string): Promise<Visitor> {
  const here = { lead: `to manage your access to ${context.declaration().brand}.`, formsLeadTo: [] }
  if (!way.startsWith('/oauth/authorize?')) return here
  const read = await context.authorization.read(askedAgain(request, way))
  if (!read.ok) return here
  const { client, redirectUri } = read.value
  return { lead: `to go on to ${client.name}.`, formsLeadTo: [clientSource(redirectUri)] }
}
