/** Makes a value when it is first asked for: compiling every schema at start would cost seconds. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null
  return () => (made ??= { value: make() }).value
}
