import type { wire } from '@postern/contract'
import type { Command } from 'commander'

import { collect, wholeNumber } from '../commands/options.ts'
import { wrongUsage } from '../stop.ts'

/** What `verify` and `explain` are told of a request. */
export interface RequestOptions {
  readonly api?: string
  readonly method: string
  readonly path: string
  readonly header?: readonly string[]
  readonly ip: string
  readonly host?: string
  readonly scheme?: string
  readonly keyEnv?: string
  readonly id?: string
  readonly clientSide?: boolean
  readonly model?: string
  readonly inputTokens?: number
  readonly outputTokens?: number
}

export function withRequestOptions(command: Command): Command {
  return command
    .option('--api <id>', 'which API is asked')
    .option('--method <method>', 'of the request', 'GET')
    .option('--path <path>', 'of the request, with its query', '/')
    .option('--header <name: value>', 'of the request; may come more than once', collect)
    .option('--ip <address>', 'of the client', '127.0.0.1')
    .option('--host <host>', 'that the client asked for')
    .option('--scheme <scheme>', 'http or https')
    .option('--key-env <NAME>', 'variable that holds the credential')
    .option('--id <public id>', 'the other half of a pair')
    .option('--client-side', 'the pair is one for pages')
    .option('--model <name>', 'language model that the body names')
    .option('--input-tokens <count>', 'at most, that go into the model', wholeNumber(0, 1_000_000_000))
    .option('--output-tokens <count>', 'at most, that come out', wholeNumber(0, 1_000_000_000))
}

/** What the body asks of a language model. */
export function modelOf({
  model,
  inputTokens,
  outputTokens,
}: RequestOptions): Pick<wire.DescribedRequest, 'model' | 'tokens'> {
  const tokens = {
    ...(inputTokens !== undefined && { input: inputTokens }),
    ...(outputTokens !== undefined && { output: outputTokens }),
  }
  return { ...(model !== undefined && { model }), ...(Object.keys(tokens).length > 0 && { tokens }) }
}

export function headerOf(text: string): [string, string] {
  const at = text.indexOf(':')
  if (at > 0) return [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  throw wrongUsage(
    'A header has no colon',
    '--header takes a name, a colon and a value.',
    "--header 'Origin: https://shop.example'",
  )
}

export function hostAndScheme({ host, scheme }: RequestOptions): { host?: string; scheme?: 'http' | 'https' } {
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw wrongUsage('--scheme is http or https', `${scheme} is neither.`, '--scheme https')
  }
  return { ...(host !== undefined && { host }), ...(scheme !== undefined && { scheme }) }
}
