/** Names of models, of which a final `*` stands for any rest. */
export interface ModelList {
  readonly patterns: readonly string[]
  allows(model: string): boolean
}

export function compileModels(patterns: readonly string[]): ModelList {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return {
    patterns,
    allows: (model) => exact.has(model) || prefixes.some((prefix) => model.startsWith(prefix)),
  }
}

/** What can be the name of a model, on the wire and in lists: printable, without spaces. */
export function isModelName(text: string): boolean {
  return text.length <= modelNameMax && /^[!-~]+$/.test(text)
}

const modelNameMax = 200
