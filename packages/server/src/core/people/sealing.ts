import type { Secret } from '../../base/secret.ts'
import type { SealedTotp } from './user.ts'

/** Seals what proves a person, and what is handed to a browser to be brought back, under `keys/standing/people.key`. */
export interface PeopleSealing {
  /** The key file is durable when this answers, so that the commit that needs it may follow. */
  sealTotp(secret: Secret, user: string): SealedTotp
  /** Throws `SealBroken` where it was altered, is another person's, or its key is not here. */
  openTotp(sealed: SealedTotp, user: string): Secret
  /**
   * For a form or a cookie, in the characters of base64url and a dot. It opens for the same `purpose` alone, from the
   * day on that it was sealed in; who brings it back says how long it is good for. Nobody else can read or make one.
   */
  sealText(text: Secret, purpose: string, now: number): string
  /** Null: it was altered, has another purpose, or was never sealed here. */
  openText(sealed: string, purpose: string): Secret | null
}
