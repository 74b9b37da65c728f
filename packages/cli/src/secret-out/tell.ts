import type { wire } from '@postern/contract'

import type { Output } from '../output/output.ts'
import type { Tools } from '../tools.ts'
import { setInEnvFile } from './env-file.ts'
import type { SecretTarget } from './target.ts'

/** Tells of credentials that were just made, and of their secrets, once. `raw` is what --json prints. */
export function tellIssued(
  tools: Tools,
  target: SecretTarget,
  about: Readonly<Record<string, string>>,
  issued: readonly Pick<wire.IssuedCredential, 'credential' | 'secret'>[],
  raw: object,
): void {
  const { out } = tools
  const written = write(target, issued)
  const fields: [string, string][] = Object.entries(about)
  for (const { credential, secret } of issued) {
    fields.push(['id', credential.id], ['name', credential.name], ['kind', credential.kind])
    const publicId = secret?.public_id ?? credential.public_id
    if (credential.client_id !== null) fields.push(['client id', credential.client_id])
    else if (publicId !== null) fields.push(['public id', publicId])
    if (secret === null) {
      fields.push(['secret', 'none: a public client proves itself by PKCE'])
      continue
    }
    fields.push(['secret', target.kind === 'print' ? (secret.value ?? 'not kept for a replay: rotate it') : written])
    fields.push(['shown again', visibility(secret)])
  }
  out.record(target.kind === 'print' ? raw : withoutValues(raw), fields)
  const secrets = issued.flatMap(({ secret }) => secret ?? [])
  if (secrets.length > 0 && target.kind === 'print' && out.forPeople) {
    const again = secrets.some(({ visible_until: until }) => until !== null)
    tellKeep(out, again ? 'later only "npx postern key reveal" shows it' : 'it is not shown again')
  }
}

/** Tells of a link that was just made, once; `raw` is what --json prints. */
export function tellLink(
  { out }: Tools,
  target: SecretTarget,
  about: readonly (readonly [string, string])[],
  { value, expires_at: end }: wire.OneTimeLink,
  raw: object,
): void {
  if (target.kind === 'env-file' && value !== null) setInEnvFile(target.path, { [target.name]: value })
  const shown =
    target.kind === 'print'
      ? (value ?? 'not kept for a replay')
      : `written to ${target.path} (${target.name}), not printed`
  out.record(target.kind === 'print' ? raw : withoutValues(raw), [...about, ['link', shown], ['works until', end]])
  if (target.kind === 'print' && out.forPeople) tellKeep(out, 'it is not shown again')
}

function tellKeep(out: Output, why: string): void {
  out.note(out.paintNote('yellow', `Keep it now: ${why}.`))
}

function write(target: SecretTarget, issued: readonly Pick<wire.IssuedCredential, 'secret'>[]): string {
  if (target.kind === 'print') return ''
  const values: Record<string, string> = {}
  for (const [index, { secret }] of issued.entries()) {
    const name = index === 0 ? target.name : `${target.name}_${index + 1}`
    if (secret === null || secret.value === null) continue
    if (secret.public_id === undefined) values[name] = secret.value
    else Object.assign(values, { [`${name}_ID`]: secret.public_id, [`${name}_SECRET`]: secret.value })
  }
  if (Object.keys(values).length > 0) setInEnvFile(target.path, values)
  return `written to ${target.path} (${Object.keys(values).join(', ')}), not printed`
}

function withoutValues(raw: object): unknown {
  return JSON.parse(JSON.stringify(raw, (name, value: unknown) => (name === 'value' ? null : value)))
}

function visibility({ visible_until: until }: wire.IssuedSecret): string {
  if (until === null) return 'never'
  return until === 'always' ? 'always' : `until ${until}`
}
