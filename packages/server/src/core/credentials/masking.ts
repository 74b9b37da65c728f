/**
 * The text with every key of our format cut down to its public id: people paste keys where none belongs, and what
 * stands in a path or a User-Agent is kept in logs and events. Of a former or foreign brand it is masked as well.
 */
export function withoutKeys(text: string): string {
  return text.includes('_') ? text.replace(keys, '$1$2***') : text
}

const keys = /\b([a-z][a-z0-9]{1,11}_(?:[spim]k_(?:live|test)|at|rt|cs)_)([0-9A-Za-z]{12})[0-9A-Za-z]{8,}/g
