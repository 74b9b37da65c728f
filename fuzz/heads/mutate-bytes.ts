import type { Chance } from '../lib/chance.ts'

/** Changes one to three places, mostly in the head and at the edges of lines, where it matters. */
export function mutateBytes(chance: Chance, bytes: string): string {
  let text = bytes
  for (let count = 1 + chance.below(3); count > 0; count--)
    text = chance.pick(changes)(chance, text, placeIn(chance, text))
  return text
}

function placeIn(chance: Chance, text: string): number {
  const around = chance.in(0.5)
    ? text.indexOf(chance.pick(['\r\n', ':', ' ', '\r\n\r\n', 'chunked', '0\r\n']), chance.below(text.length + 1))
    : -1
  return around === -1 ? chance.below(text.length + 1) : Math.max(0, around + chance.below(4) - 1)
}

type Change = (chance: Chance, text: string, at: number) => string

const changes: readonly [Change, ...Change[]] = [
  (chance, text, at) => text.slice(0, at) + chance.pick(special) + text.slice(at),
  (chance, text, at) => text.slice(0, at) + chance.pick(special) + text.slice(at + 1),
  (chance, text, at) => text.slice(0, at) + text.slice(at + 1 + chance.below(3)),
  // A piece twice: a line, a chunk, half a header.
  (chance, text, at) => text.slice(0, at) + text.slice(at, at + 1 + chance.below(60)) + text.slice(at),
  (chance, text, at) => text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1),
  (_chance, text, at) => text.slice(0, at) + swapped(text.slice(at, at + 2)) + text.slice(at + 2),
  (chance, text, at) => text.slice(0, at) + flipCase(text.slice(at, at + 1 + chance.below(8))) + text.slice(at + 8),
  (_chance, text, at) => text.slice(0, at),
]

const swapped = (two: string): string => (two[1] ?? '') + (two[0] ?? '')
const flipCase = (text: string): string =>
  text.replaceAll(/[a-zA-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) ^ 0x20))

const special = [
  '\r',
  '\n',
  '\r\n',
  '\n\r',
  '\r\n\r\n',
  ' ',
  '\t',
  '\u0000',
  '\u000b',
  '\u000c',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u00ff',
  ':',
  ';',
  ',',
  '"',
  '0',
  '-',
  '+',
  'x',
  '\r\n ',
  '\r\n\t',
  ' \r\n',
  '_',
  '\\',
  '%',
  '#',
] as const
