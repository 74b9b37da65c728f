/** Freezes plain objects and lists all the way down; instances, maps and typed arrays stay as they are. */
export function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (value instanceof Map) for (const item of value.values()) freeze(item)
  if (prototype !== Object.prototype && !Array.isArray(value)) return value
  for (const item of Object.values(value)) freeze(item)
  return Object.freeze(value)
}
