import { styleText } from 'node:util'

import type { Io, Sink } from '../io.ts'

export type ColourChoice = 'auto' | 'always' | 'never'
type Style = Parameters<typeof styleText>[0]

/** Paints for one stream; where colour is off the text stays as it is. Colour is never the only carrier of a meaning. */
export type Paint = (style: Style, text: string) => string

/** `--color` first, then NO_COLOR, CLICOLOR_FORCE and CLICOLOR, then whether it is a terminal. */
export function paintFor(sink: Sink, choice: ColourChoice, env: Io['env']): Paint {
  const coloured = isColoured(sink, choice, env)
  return (style, text) => (coloured ? styleText(style, text, { validateStream: false }) : text)
}

function isColoured(sink: Sink, choice: ColourChoice, env: Io['env']): boolean {
  if (choice !== 'auto') return choice === 'always'
  if (isSet(env['NO_COLOR'])) return false
  if (isSet(env['CLICOLOR_FORCE']) && env['CLICOLOR_FORCE'] !== '0') return true
  return sink.isTty && env['CLICOLOR'] !== '0'
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
