import Type, { type TInteger, type TString } from 'typebox'

/** What the schema of `postern.yaml` is made of. `expects` says in words what a value must be. */

export const strict = { additionalProperties: false } as const

export function text(pattern: string, expects: string): TString {
  return Type.String({ pattern, expects })
}

export const duration: TString = text(
  '^(0|[1-9][0-9]{0,8})(ms|s|m|h|d)$',
  'a duration such as 500ms, 30s, 15m, 1h or 90d',
)
export const size: TString = text('^[1-9][0-9]{0,9}(B|KiB|MiB|GiB)$', 'a size such as 512B, 16KiB or 10MiB')
export const headerName: TString = text("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", 'the name of a header')
export const file: TString = Type.String({ minLength: 1, expects: 'the path of a file or folder' })
export const count: TInteger = Type.Integer({ minimum: 1, maximum: 1_000_000_000 })
