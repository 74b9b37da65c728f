/** A member of what should be an object; undefined where it is none, or has none of that name of its own. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  // Whatever it is, it is taken as unknown.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return (value as Readonly<Record<string, unknown>>)[name]
}

/** The items of what should be an array. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Bytes in UTF-8 of what should be a text. */
export function bytesOf(value: unknown): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0
}
