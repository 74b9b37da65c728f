import { InvalidArgumentError } from 'commander'

import { wrongUsage } from '../stop.ts'

/** For options that may come more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^[0-9]+$/.test(text) && number >= min && number <= max) return number
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`)
  }
}

/** `name=value`, as `--metadata` takes it. */
export function pairs(texts: readonly string[] | undefined): Record<string, string> | undefined {
  if (texts === undefined) return undefined
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1)
        throw wrongUsage(
          '--metadata is not name=value',
          `"${text}" has no name before a "=".`,
          '--metadata team=billing',
        )
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

export const listLimit = ['--limit <number>', 'how many at most', wholeNumber(1, 100_000), 50] as const
