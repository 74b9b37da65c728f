export type { Markup as Html }

/** Markup that is safe to send. The class stays in this file, so that nothing else can make one from a text. */
class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

type Part = string | number | Markup | readonly Markup[] | null

/**
 * Escapes whatever stands between the literal parts but for markup of its own making. Values stand in text or in
 * quoted attributes, nowhere else: not in names, scripts or styles. `null` is nothing.
 */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.reduce((text, literal, index) => text + written(parts[index - 1] ?? null) + literal))
}

/** An attribute without a value (`checked`, `required`), or nothing. The name is ours. */
export function flag(name: 'checked' | 'required' | 'autofocus' | 'selected' | 'readonly', on: boolean): Markup | null {
  return on ? new Markup(` ${name}`) : null
}

function written(part: Part): string {
  if (part === null) return ''
  if (part instanceof Markup) return part.toString()
  if (typeof part === 'object') return part.map(String).join('')
  return escaped(String(part))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'`]/g, (sign) => entities[sign] ?? '')
}
