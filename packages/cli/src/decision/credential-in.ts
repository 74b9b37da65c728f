import type { wire } from '@postern/contract'

import { exit, Stop, wrongUsage } from '../stop.ts'
import type { Tools } from '../tools.ts'

/** A credential from the environment or standard input, never from an argument. */
export async function readCredential(
  { io }: Tools,
  keyEnv: string | undefined,
  { what, option, command } = asKey,
): Promise<string> {
  if (keyEnv !== undefined) {
    const value = io.env[keyEnv]
    if (value !== undefined && value !== '') return value
    throw wrongUsage(
      `The variable ${keyEnv} is not set`,
      `${option} names a variable that holds the ${what}.`,
      `export ${keyEnv}=…`,
    )
  }
  if (io.stdinIsTty) {
    throw wrongUsage(
      `The ${what} is missing`,
      'It comes by standard input or by a variable, so that it stays out of the history of the shell.',
      `npx postern ${command} ${option} NAME …   (or: npx postern ${command} … < file)`,
    )
  }
  const text = (await io.readStdin()).replace(/\r?\n$/, '')
  if (text !== '') return text
  throw new Stop(exit.usage, {
    what: `The ${what} is empty`,
    why: 'Standard input had nothing in it.',
    next: `npx postern ${command} ${option} NAME …`,
  })
}

const asKey = { what: 'credential', option: '--key-env', command: 'verify' }

/** A credential as `verify` and `explain` were given it. */
export interface GivenCredential {
  readonly secret: string
  /** The other half of a pair, or the user of Basic. */
  readonly publicId: string | undefined
  readonly clientSide: boolean
}

/** The headers (or the path) that carry the credential to an API, in the first place that takes it. */
export function carry(
  places: readonly wire.Place[],
  path: string,
  credential: GivenCredential,
): { readonly path: string; readonly headers: Record<string, string> } {
  const { secret, publicId } = credential
  const shape = shapeOf(secret)
  const accepting = places.filter(({ accept }) => accept.includes(shape))
  const taking = accepting.length > 0 ? accepting : places
  const fitting = taking.filter(
    ({ kinds }) => kinds === null || kinds.includes('publishable') === credential.clientSide,
  )
  const place = fitting.find((each) => isDouble(each) === (publicId !== undefined)) ?? fitting[0] ?? taking[0]
  switch (place?.in) {
    case 'bearer':
      return { path, headers: { authorization: `Bearer ${secret}` } }
    case 'header':
      return { path, headers: { [place.name ?? '']: secret } }
    case 'query':
      return {
        path: `${path}${path.includes('?') ? '&' : '?'}${place.name ?? ''}=${encodeURIComponent(secret)}`,
        headers: {},
      }
    case 'basic':
      return {
        path,
        headers: { authorization: `Basic ${Buffer.from(`${publicId ?? ''}:${secret}`).toString('base64')}` },
      }
    case 'pair':
      if (publicId === undefined) {
        throw wrongUsage('This API takes pairs', 'A pair has a public id beside its secret.', '--id <public id>')
      }
      return { path, headers: { [place.id ?? '']: publicId, [place.secret ?? '']: secret } }
    case undefined:
      throw wrongUsage('This API takes no credential', 'It declares no place for one.', 'npx postern config check')
  }
}

/** What a place has to take; whether it is one is for the server to say. */
function shapeOf(secret: string): wire.Place['accept'][number] {
  if (/^[a-z][a-z0-9]{1,11}_at_/.test(secret)) return 'token'
  return /^eyJ[^.]*\.[^.]*\.[^.]*$/.test(secret) ? 'jwt' : 'key'
}

function isDouble(place: wire.Place): boolean {
  return place.in === 'pair' || place.in === 'basic'
}
