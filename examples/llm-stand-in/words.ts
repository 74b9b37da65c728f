import { field, list, text } from './call.ts'

/** What every stand-in says, so that nobody takes it for a model. */
export function replyTo(prompt: string): readonly string[] {
  const said = prompt.trim().split(/\s+/).filter(Boolean)
  const heard = said.length === 0 ? 'nothing' : said.slice(0, 12).join(' ')
  return `I am a stand-in, not a model. You said: ${heard}.`.split(' ').map((word, i) => (i === 0 ? word : ` ${word}`))
}

/** As many tokens as words: near enough for a stand-in. */
export function tokensOf(prompt: string): number {
  return prompt.trim().split(/\s+/).filter(Boolean).length
}

/** The texts of messages, in whichever of the usual forms they come. */
export function promptOf(messages: unknown): string {
  if (typeof messages === 'string') return messages
  return list(messages)
    .flatMap((message) => {
      const content = field(message, 'content') ?? field(message, 'parts')
      return typeof content === 'string' ? [content] : list(content).map((part) => text(field(part, 'text')))
    })
    .join(' ')
}

/** Ends the reply where the request bounds it. */
export function bounded(words: readonly string[], bound: unknown): readonly string[] {
  return typeof bound === 'number' && bound > 0 ? words.slice(0, bound) : words
}
