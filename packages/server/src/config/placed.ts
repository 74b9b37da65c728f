import type { Environment } from '../core/apis/api.ts'
import type { Path } from './issue.ts'

type ByRegion<Value> = Value | { readonly [region: string]: Value }
type ByEnvironment<Value> = { readonly [name in Environment]?: ByRegion<Value> }

/** As written: one value for all, or one for each region; and that for both environments, or for each of them. */
type Written<Value> = ByRegion<Value> | ByEnvironment<Value>

/** One value of them, for what it stands, and where. Null: for both environments, for all regions. */
export interface Placed<Value> {
  readonly value: Value
  readonly environment: Environment | null
  readonly region: string | null
  readonly path: Path
}

/** The values of a place that may differ by environment and region, as a list. */
export function placedValues<Value extends string>(written: Written<Value>, path: Path): readonly Placed<Value>[] {
  if (isValue(written) || !isByEnvironment(written)) return ofRegions(written, null, path)
  return (['live', 'sandbox'] as const).flatMap((environment) => {
    const value = written[environment]
    return value === undefined ? [] : ofRegions(value, environment, [...path, environment])
  })
}

function ofRegions<Value extends string>(
  written: ByRegion<Value>,
  environment: Environment | null,
  path: Path,
): readonly Placed<Value>[] {
  if (isValue(written)) return [{ value: written, environment, region: null, path }]
  return Object.entries(written).map(([region, value]) => ({ value, environment, region, path: [...path, region] }))
}

function isValue<Value extends string>(written: Written<Value>): written is Value {
  return typeof written === 'string'
}

function isByEnvironment<Value>(written: object): written is ByEnvironment<Value> {
  return 'live' in written || 'sandbox' in written
}

/** Whether there are requests to which both apply. */
export function meet(one: Placed<unknown>, other: Placed<unknown>): boolean {
  return agree(one.environment, other.environment) && agree(one.region, other.region)
}

function agree(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b
}
