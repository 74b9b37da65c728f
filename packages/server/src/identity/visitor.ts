import type { Context } from './context.ts'

/** For whom somebody signs in: these pages, or a client that asks for access. */
export interface Visitor {
  readonly lead: string
  readonly formsLeadTo: readonly string[]
}

export function visitorOf(context: Context): Visitor {
  return { lead: `to manage your access to ${context.declaration().brand}.`, formsLeadTo: [] }
}
