import { fail, ok, type Result } from '../../base/result.ts'
import { Secret } from '../../base/secret.ts'
import { nearest } from '../credentials/nearest.ts'
import type { Settings } from './connection.ts'
import type { Platform, PlatformField } from './platform.ts'

/** Fields of a connection as they were sent, checked against what its platform asks for. */
export interface ConnectionInput {
  readonly settings: Settings
  readonly secrets: ReadonlyMap<string, Secret>
}

export interface InputFault {
  /** JSON pointer in the words of the wire. */
  readonly path: string
  readonly message: string
}

type Sent = Readonly<Record<string, string>>

/** No fault repeats a value: what stands in the wrong field may be the secret. */
export function acceptInput(
  platform: Platform,
  sent: { readonly name: string; readonly settings: Sent; readonly secrets: Sent },
): Result<ConnectionInput, readonly InputFault[]> {
  const faults = [
    ...fieldFaults(platform, 'settings', sent.settings),
    ...fieldFaults(platform, 'secrets', sent.secrets),
    ...placeFaults(platform, sent.settings),
    ...pastedFaults(sent),
  ]
  if (faults.length > 0) return fail(faults)
  return ok({
    settings: { ...sent.settings },
    secrets: new Map(Object.entries(sent.secrets).map(([name, value]) => [name, new Secret(value)])),
  })
}

function* fieldFaults(platform: Platform, part: 'settings' | 'secrets', sent: Sent): Generator<InputFault> {
  const fields = platform.fields.filter(({ secret }) => secret === (part === 'secrets'))
  const names = fields.map(({ name }) => name)
  for (const name of Object.keys(sent)) if (!names.includes(name)) yield unknown(platform, part, name, names)
  for (const field of fields) {
    const value = Object.hasOwn(sent, field.name) ? sent[field.name] : undefined
    if (value === undefined && field.required) yield at(part, field, `is missing; it is ${field.expects}`)
    if (value !== undefined && !field.pattern.test(value)) yield at(part, field, `must be ${field.expects}`)
  }
}

function unknown(platform: Platform, part: string, name: string, names: readonly string[]): InputFault {
  const other = platform.fields.find((field) => field.name === name)
  if (other !== undefined) {
    const path = `/${part}/${name}`
    return { path, message: `stands in the wrong place: it belongs into "${other.secret ? 'secrets' : 'settings'}"` }
  }
  const near = nearest(name, names)
  const hint = near === null ? '' : `; did you mean "${near}"?`
  const known = names.length === 0 ? 'it has none here' : `it has ${names.join(', ')}`
  return { path: `/${part}`, message: `has a field that ${platform.name} does not have; ${known}${hint}` }
}

const at = (part: string, { name }: PlatformField, message: string): InputFault => ({
  path: `/${part}/${name}`,
  message,
})

/** What a place needs beyond what each field says for itself: of `custom`, whose settings choose the place. */
function* placeFaults(platform: Platform, settings: Sent): Generator<InputFault> {
  for (const place of platform.places(settings)) {
    if ((place.in === 'header' || place.in === 'query') && place.name === '')
      yield { path: '/settings/name', message: `is missing: a ${place.in} has a name` }
  }
}

/** A secret that was pasted into a field that is shown as well. */
function* pastedFaults({ name, settings, secrets }: Parameters<typeof acceptInput>[1]): Generator<InputFault> {
  const shown = [['/name', name], ...Object.entries(settings).map(([field, value]) => [`/settings/${field}`, value])]
  for (const [path = '', value = ''] of shown) {
    const pasted = Object.values(secrets).some((secret) => secret.length >= 8 && value.includes(secret))
    if (pasted) yield { path, message: 'holds the secret, and would be shown' }
  }
}
