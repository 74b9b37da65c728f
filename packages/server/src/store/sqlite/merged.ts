/** The items of several iterators, each as soon as it is there. */
export async function* merged<Item>(...sources: readonly AsyncGenerator<Item, unknown>[]): AsyncGenerator<Item> {
  const ask = async (source: AsyncGenerator<Item, unknown>) => ({ source, result: await source.next() })
  const asked = new Map(sources.map((source) => [source, ask(source)]))
  while (asked.size > 0) {
    const { source, result } = await Promise.race(asked.values())
    if (result.done === true) {
      asked.delete(source)
      continue
    }
    asked.set(source, ask(source))
    yield result.value
  }
}
