import type { Result } from '../base/result.ts'
import type { Answer } from '../core/decision/answer.ts'
import type { Served } from '../core/oauth/endpoint.ts'
import type { Committed, WriteRefusal } from '../core/store.ts'
import { type Attempts, createAttempts } from './attempts.ts'
import { type Cookies, createCookies } from './cookies.ts'
import { createDevices, type Devices } from './devices.ts'
import { createForms, type Forms } from './forms.ts'
import { pageAnswer, type PageParts, seeOther } from './layout.ts'
import type { IdentityParts } from './parts.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { createRarely, type Rarely } from './rarely.ts'
import { basePath, type PageRequest } from './request.ts'
import { createSessions, type Sessions } from './sessions.ts'

/** What every page works with. */
export interface Context extends IdentityParts {
  readonly attempts: Attempts
  readonly cookies: Cookies
  readonly devices: Devices
  /** Of whom it was told lately that somebody failed to sign in. */
  readonly failures: Rarely
  readonly forms: Forms
  readonly passwords: Passwords
  readonly sessions: Sessions
  page(request: PageRequest, page: PageParts): Answer
  /** 303 to a page of ours. */
  to(request: PageRequest, path: string, headers?: readonly string[]): Answer
  /** A path of ours as it is written in a page: below that of the public URL. */
  href(path: string): string
  /** Makes a committed change known here before anything is answered, and unwraps it. */
  applied<Value>(written: Result<Committed<Value>, WriteRefusal>): Result<Value, WriteRefusal>
}

/** One page, or the answer of the endpoint behind it. */
export type Page = (request: PageRequest) => Promise<Answer | Served>

export function createContext(parts: IdentityParts): Context {
  const cookies = createCookies(() => parts.declaration().publicUrl)
  const href = (path: string): string => basePath(parts.declaration().publicUrl) + path
  return {
    ...parts,
    cookies,
    attempts: createAttempts(parts.clock),
    devices: createDevices(parts, cookies),
    failures: createRarely({ everyMs: 10 * 60_000, keysMax: 10_000, clock: parts.clock }),
    forms: createForms(parts.sealing, parts.clock),
    passwords: createPasswords(parts.random),
    sessions: createSessions(parts, cookies),
    page: (request, page) => pageAnswer(parts.declaration(), request.requestId, page),
    to: (request, path, headers) => seeOther(href(path), request.requestId, headers),
    href,
    applied: (written) => {
      if (!written.ok) return written
      const { value, changes, sequence } = written.value
      parts.apply(changes, sequence)
      return { ok: true, value }
    },
  }
}
