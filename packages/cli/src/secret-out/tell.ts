import type { wire } from '@postern/contract'

import type { Tools } from '../tools.ts'
import { setInEnvFile } from './env-file.ts'
import type { SecretTarget } from './target.ts'

/** Tells of credentials that were just made, and of their secrets, once. `raw` is what --json prints. */
export function tellIssued(
  tools: Tools,
  target: SecretTarget,
  about: Readonly<Record<string, string>>,
  issued: readonly { readonly credential: wire.Credential; readonly secret: wire.IssuedSecret }[],
  raw: object,
): void {
  const { out } = tools
  const written = write(target, issued)
  const fields: [string, string][] = Object.entries(about)
  for (const { credential, secret } of issued) {
    fields.push(['id', credential.id], ['name', credential.name], ['kind', credential.kind])
    const publicId = secret.public_id ?? credential.public_id
    if (publicId !== null) fields.push(['public id', publicId])
    fields.push(['secret', target.kind === 'print' ? (secret.value ?? 'not kept for a replay: rotate it') : written])
    fields.push(['shown again', visibility(secret)])
  }
  out.record(target.kind === 'print' ? raw : withoutValues(raw), fields)
  if (issued.length > 0 && target.kind === 'print' && out.forPeople) {
    const again = issued.some(({ secret }) => secret.visible_until !== null)
    out.note(
      out.paintNote(
        'yellow',
        `Keep it now: ${again ? 'later only "npx postern key reveal" shows it' : 'it is not shown again'}.`,
      ),
    )
  }
}

function write(
  target: SecretTarget,
  issued: readonly { readonly secret: wire.IssuedSecret; readonly credential: wire.Credential }[],
): string {
  if (target.kind === 'print') return ''
  const values: Record<string, string> = {}
  for (const [index, { secret }] of issued.entries()) {
    const name = index === 0 ? target.name : `${target.name}_${index + 1}`
    if (secret.value === null) continue
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
