import type { wire } from '@postern/contract'

import { wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'

export interface FieldOptions {
  readonly set?: readonly string[]
  readonly secretEnv?: readonly string[]
}

/** `name=value` of `--set`. A field that the platform keeps secret is refused here: an argument is no place for one. */
export function settingsOf(
  platform: wire.Platform,
  texts: readonly string[] | undefined,
): Record<string, string> | undefined {
  if (texts === undefined) return undefined
  const settings: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    const name = text.slice(0, Math.max(0, at))
    if (name === '')
      throw wrongUsage('--set is not name=value', 'It takes a field of the platform.', showFields(platform))
    if (platform.fields.some((field) => field.secret && field.name === name)) {
      throw wrongUsage(
        `"${name}" is secret and was given as an argument`,
        'Arguments are seen by every process on this machine and stay in the history of the shell; this one should count as exposed.',
        `--secret-env NAME   (or standard input)`,
      )
    }
    settings[name] = text.slice(at + 1)
  }
  return settings
}

/** Secrets from variables, `field=VARIABLE` or, where there is but one secret field, `VARIABLE`; or from standard input. */
export async function secretsOf(
  { io }: Tools,
  platform: wire.Platform,
  given: readonly string[] | undefined,
): Promise<Record<string, string>> {
  const fields = platform.fields.filter(({ secret }) => secret).map(({ name }) => name)
  const [only] = fields
  if (given !== undefined) return Object.fromEntries(given.map((text) => fromVariable(io.env, text, fields, platform)))
  if (only === undefined || fields.length > 1 || io.stdinIsTty) {
    throw wrongUsage(
      'The secret is missing',
      'It comes by a variable or by standard input, so that it stays out of the history of the shell.',
      `--secret-env NAME   (${platform.name} asks for ${fields.join(', ')})`,
    )
  }
  const text = (await io.readStdin()).replace(/\r?\n$/, '')
  if (text !== '') return { [only]: text }
  throw wrongUsage('The secret is empty', 'Standard input had nothing in it.', '--secret-env NAME')
}

function fromVariable(
  env: Tools['io']['env'],
  text: string,
  fields: readonly string[],
  platform: wire.Platform,
): readonly [field: string, value: string] {
  const at = text.indexOf('=')
  const [field, variable] = at === -1 ? [fields[0] ?? '', text] : [text.slice(0, at), text.slice(at + 1)]
  if (!fields.includes(field) || (at === -1 && fields.length > 1)) {
    throw wrongUsage(
      '--secret-env does not say which field',
      `${platform.name} keeps secret: ${fields.join(', ')}.`,
      `--secret-env ${fields[0]}=NAME`,
    )
  }
  const value = env[variable]
  if (value !== undefined && value !== '') return [field, value]
  throw wrongUsage(
    'The variable of --secret-env is not set',
    'It takes the name of a variable, not the secret itself.',
    `export NAME=…   then --secret-env NAME`,
  )
}

const showFields = ({ id }: wire.Platform): string => `npx postern connection platforms ${id}`
