import type { Settings } from './connection.ts'

/**
 * What a third party's API wants of its callers: one typed module per platform in `platforms/`. Facts only; what is
 * done with them stands in `injection.ts` and `check.ts`.
 */
export interface Platform {
  readonly id: string
  readonly name: string
  readonly fields: readonly PlatformField[]
  /** Where the credential travels, all of it with each request. */
  places(settings: Settings): readonly CredentialPlace[]
  /** Base URL of the API, without a slash at its end; null where the settings give none. */
  base(settings: Settings): string | null
  /** A call that changes nothing and succeeds only with a good credential; or why there is none. */
  readonly check: CheckCall | { readonly none: string }
  readonly rotation: Rotation
  /** Pages that say so. */
  readonly sources: readonly string[]
}

export interface PlatformField {
  /** As it stands on the wire of the management API. */
  readonly name: string
  readonly label: string
  /** Sealed, and never shown; otherwise a setting. */
  readonly secret: boolean
  readonly required: boolean
  /** The whole value. */
  readonly pattern: RegExp
  /** In words what the value must be. */
  readonly expects: string
  /** A value of the right form that belongs to nobody. */
  readonly example: string
}

/** A field of the connection, or a text that is the same for everybody. */
export type Part = { readonly field: string } | { readonly text: string }

export type CredentialPlace =
  | { readonly in: 'bearer'; readonly field: string }
  /** `prefix` stands before the value, with its space. */
  | { readonly in: 'header'; readonly name: string; readonly prefix: string; readonly field: string }
  | { readonly in: 'basic'; readonly user: Part; readonly password: Part }
  | { readonly in: 'query'; readonly name: string; readonly field: string }
  /** A member of the JSON body. The gateway does not rewrite bodies, so it cannot put it there. */
  | { readonly in: 'body'; readonly name: string; readonly field: string }

/** Whether a route can put the credential into a request: nothing of it travels in the body. */
export function isInjectable(platform: Platform): boolean {
  return platform.places({}).every((place) => place.in !== 'body')
}

export interface CheckCall {
  /** POST only where the platform's own read-only call is one. */
  readonly method: 'GET' | 'POST'
  /** Appended to the base URL; null: the settings name none, and nothing can be checked. */
  path(settings: Settings): string | null
  /** Headers beside the credential, name and value. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly status: number
  /** What is answered to a bad credential. */
  readonly refusals: readonly number[]
  /** Has to stand in the answer, where a bad credential gets the same status. */
  readonly contains: string | null
  /** What a credential may need for this call to succeed. */
  readonly needs: string | null
}

interface Rotation {
  /** How and where a new credential is made, and the old one ended. */
  readonly how: string
  /** Whether the old and the new one can live side by side; null: the platform does not say. */
  readonly overlap: boolean | null
}

const secretPattern = /^[!-~]{1,4096}$/

/** A secret that is sent as it is: visible ASCII, so that no header can be broken with it. */
export function secretField(name: string, label: string, example: string, pattern = secretPattern): PlatformField {
  return {
    name,
    label,
    secret: true,
    required: true,
    pattern,
    expects: 'the credential as the platform shows it: visible ASCII characters without spaces',
    example,
  }
}

export function setting(
  name: string,
  label: string,
  rule: Pick<PlatformField, 'pattern' | 'expects' | 'example'>,
): PlatformField {
  return { name, label, secret: false, required: true, ...rule }
}

/** A GET that answers 200 to a good credential and something else to a bad one. */
export function getCall(path: string | CheckCall['path'], more: Partial<CheckCall> = {}): CheckCall {
  return {
    method: 'GET',
    path: typeof path === 'string' ? () => path : path,
    headers: [],
    status: 200,
    refusals: [401, 403],
    contains: null,
    needs: null,
    ...more,
  }
}
