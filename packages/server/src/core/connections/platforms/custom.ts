import { getCall, secretField, type CredentialPlace, type Platform, type PlatformField } from '../platform.ts'
import { anyBase } from './url.ts'

/** Not a header of the connection or the framing (RFC 9110, section 7.6.1), nor one that only a gateway may state. */
const foreignName =
  /^(?!(?:connection|content.length|expect|host|keep.alive|te|trailer|transfer.encoding|upgrade|proxy|x.forwarded|x.postern|x.request.id|forwarded)(?:[-_.]|$))[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/i

/** Any API that has no module of its own: the settings say where its credential travels. */
export const custom: Platform = {
  id: 'custom',
  name: 'Any other API',
  fields: [
    {
      ...optional('in', 'Place'),
      required: true,
      pattern: /^(bearer|header|basic|query)$/,
      expects: 'bearer, header, basic or query',
      example: 'header',
    },
    {
      ...optional('name', 'Name of the header or parameter'),
      pattern: foreignName,
      expects: 'the name of a header or parameter that belongs to the API, not to the connection or to Postern',
      example: 'X-Api-Key',
    },
    {
      ...optional('prefix', 'Text before the value of the header'),
      pattern: /^[A-Za-z][A-Za-z0-9-]{0,31}$/,
      expects: 'a word such as Token',
      example: 'Token',
    },
    {
      ...optional('user', 'User of Basic'),
      pattern: /^[!-9;-~]{1,255}$/,
      expects: 'visible ASCII characters without spaces and ":"',
      example: 'api',
    },
    { ...optional('base_url', 'Base URL'), ...anyBase, example: 'https://api.example.com' },
    {
      ...optional('check_path', 'Path of a call that changes nothing'),
      pattern: /^\/(?!\/)[A-Za-z0-9._~/?&=%,:-]{0,500}$/,
      expects: 'a path that begins with one slash',
      example: '/v1/me',
    },
    secretField('secret', 'Secret', '00000000000000000000000000000000'),
  ],
  places: (settings) => [placeOf(settings)],
  base: ({ base_url: base }) => base ?? null,
  check: getCall(({ check_path: path }) => path ?? null),
  rotation: { how: 'Where the API keeps its credentials.', overlap: false },
  sources: [],
}

function optional(name: string, label: string): Pick<PlatformField, 'name' | 'label' | 'secret' | 'required'> {
  return { name, label, secret: false, required: false }
}

function placeOf({
  in: place = 'bearer',
  name = '',
  prefix = '',
  user = '',
}: Readonly<Record<string, string>>): CredentialPlace {
  switch (place) {
    case 'header':
      return { in: 'header', name, prefix: prefix === '' ? '' : `${prefix} `, field: 'secret' }
    case 'basic':
      return { in: 'basic', user: { text: user }, password: { field: 'secret' } }
    case 'query':
      return { in: 'query', name, field: 'secret' }
    default:
      return { in: 'bearer', field: 'secret' }
  }
}
