import type { Environment } from '../core/apis/api.ts'
import type { Path } from './issue.ts'

interface Tree<Value> {
  readonly [name: string]: Value | Tree<Value>
}

/** A value of `address` or `upstream`, for what it stands, and where. Null: for both environments, for all regions. */
export interface Placed<Value> extends Place {
  readonly value: Value
}

interface Place {
  readonly environment: Environment | null
  readonly region: string | null
  readonly path: Path
}

/** As written: one value for all, or one for each region; and that for both environments, or for each of them. */
export function placedValues<Value>(
  written: Value | Tree<Value>,
  path: Path,
  isValue: (written: Value | Tree<Value>) => written is Value,
): readonly Placed<Value>[] {
  const walk = (part: Value | Tree<Value>, place: Place): readonly Placed<Value>[] =>
    isValue(part)
      ? [{ value: part, ...place }]
      : Object.entries(part).flatMap(([name, inner]) => walk(inner, within(place, name)))
  return walk(written, { environment: null, region: null, path })
}

function within({ environment, path }: Place, name: string): Place {
  const named = name === 'live' || name === 'sandbox'
  return environment === null && named
    ? { environment: name, region: null, path: [...path, name] }
    : { environment, region: name, path: [...path, name] }
}

/** Whether there are requests to which both apply. */
export function meet(one: Placed<unknown>, other: Placed<unknown>): boolean {
  return agree(one.environment, other.environment) && agree(one.region, other.region)
}

function agree(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b
}
