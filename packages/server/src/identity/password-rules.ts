import type { Secret } from '../base/secret.ts'

/**
 * Length is what counts: 15 characters at least, for everybody (NIST SP 800-63B-4, section 3.1.1.2, where a password
 * may be the only factor), 128 at most, every character allowed and none demanded.
 */
export const passwordLengthMin = 15
export const passwordLengthMax = 128

export type PasswordFlaw = 'short' | 'long' | 'guessable'

/** `about`: words that stand near: the person's name and address, and what is signed in to. */
export function flawOf(password: Secret, about: readonly string[]): PasswordFlaw | null {
  const text = password.reveal()
  // Code points, so that nobody's letters count twice; the first test keeps a megabyte from being spread.
  if (text.length > 2 * passwordLengthMax) return 'long'
  const { length } = Array.from(text)
  if (length < passwordLengthMin) return 'short'
  if (length > passwordLengthMax) return 'long'
  return isGuessable(text, about) ? 'guessable' : null
}

/** A sentence for the page. */
export function flawText(flaw: PasswordFlaw): string {
  switch (flaw) {
    case 'short':
      return `The password has fewer than ${passwordLengthMin} characters. A few words in a row are easy to remember.`
    case 'long':
      return `The password has more than ${passwordLengthMax} characters.`
    case 'guessable':
      return 'The password is among the first that are guessed: common words, keys in a row, repetitions, or your own name. Take other words.'
  }
}

/** Characters that may remain where everything else is guessed by rule. */
const leftMax = 4

/**
 * Lists of the commonest passwords have next to none of 15 characters. What people make of short ones to reach a
 * length is this: words of those lists in a row, keys in a row, repetitions, a few characters at the end.
 */
function isGuessable(text: string, about: readonly string[]): boolean {
  const plain = text
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[\p{M}\s._-]/gu, '')
  const words = [...commonWords, ...about.flatMap(wordsOf)]
  return repeats(plain) || leftOver(plain, words) <= leftMax || leftOver(unmasked(plain), words) <= leftMax
}

/** A short piece again and again. */
const repeats = (text: string): boolean => /^(.{1,7}?)\1+.{0,4}$/su.test(text)

/** `p4$$w0rd` is `password`. */
const unmasked = (text: string): string => text.replaceAll(/[013457@$!]/g, (sign) => letterOf[sign] ?? sign)
const letterOf: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []

/** The fewest characters that are in none of the words and no row of keys, however the text is cut up. */
function leftOver(text: string, words: readonly string[]): number {
  const left = [0]
  for (let end = 1; end <= text.length; end++) {
    let best = (left[end - 1] ?? 0) + 1
    for (const word of words) {
      if (text.startsWith(word, end - word.length)) best = Math.min(best, left[end - word.length] ?? best)
    }
    const row = rowEndingAt(text, end)
    for (let length = 3; length <= row; length++) best = Math.min(best, left[end - length] ?? best)
    left[end] = best
  }
  return left[text.length] ?? 0
}

/** How many characters before `end` are one character, or neighbours in an alphabet or on a keyboard. */
function rowEndingAt(text: string, end: number): number {
  const step = stepBetween(text[end - 2], text[end - 1])
  if (step === null) return 1
  let length = 2
  while (length < end && stepBetween(text[end - length - 1], text[end - length]) === step) length++
  return length
}

function stepBetween(left: string | undefined, right: string | undefined): string | null {
  if (left === undefined || right === undefined) return null
  if (left === right) return 'same'
  if (rows.some((row) => row.includes(left + right))) return 'up'
  return rows.some((row) => row.includes(right + left)) ? 'down' : null
}

const rows = ['abcdefghijklmnopqrstuvwxyz', '12345678901', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azerty']

/** From the heads of published lists of leaked passwords, and what people add in offices. */
const commonWords: readonly string[] = (
  'password passwort passwd pass word qwerty letmein welcome admin administrator root login signin master monkey ' +
  'dragon football baseball basketball soccer hockey iloveyou loveyou love sunshine princess shadow superman batman ' +
  'spiderman pokemon starwars michael michelle jordan jessica jennifer ashley daniel charlie thomas robert george ' +
  'andrew hunter killer pepper ginger cheese chocolate cookie banana orange purple flower butterfly lovely angel ' +
  'hello freedom whatever nothing trustno1 trustnoone secret private changeme change default temporary temp test ' +
  'testing guest user username access allow google facebook computer internet server system office company business ' +
  'account service support security secure summer winter spring autumn january february march april june july august ' +
  'september october november december monday tuesday wednesday thursday friday saturday sunday please enter open ' +
  'my the is and you me to'
).split(' ')
