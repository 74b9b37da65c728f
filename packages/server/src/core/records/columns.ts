type Column = Uint8Array | Int32Array | Uint32Array | Float64Array

/** The same column with room for `rows` rows of `width` entries. */
export function grown<C extends Column>(column: C, rows: number, width = 1): C {
  if (column.length >= rows * width) return column
  // A typed array's constructor makes its own kind.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  const larger = new (column.constructor as new (length: number) => C)(rows * width)
  larger.set(column)
  return larger
}

/** Next capacity for at least `count` rows: half as much again, at least 1,024. */
export function nextCapacity(current: number, count: number): number {
  return count <= current ? current : Math.max(1024, count, Math.floor(current * 1.5))
}
