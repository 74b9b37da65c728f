import { expect, it } from 'vitest'

import { percentiles } from './usage.ts'

const buckets = (counts: Readonly<Record<number, number>>) => Array.from({ length: 15 }, (_, i) => counts[i] ?? 0)

it('says nothing of latency where nothing was measured', () => expect(percentiles(buckets({}))).toBeNull())

it('reads percentiles linearly within a bucket', () => {
  expect(percentiles(buckets({ 3: 100 }))).toEqual({ p50: 7.5, p90: 9.5, p95: 9.75, p99: 9.95, count: 100 })
  expect(percentiles(buckets({ 0: 90, 6: 10 }))).toMatchObject({ p50: 0.56, p90: 1, p95: 75, count: 100 })
})

it('counts what is above the last edge as that edge', () => {
  expect(percentiles(buckets({ 14: 5 }))).toMatchObject({ p50: 30_000, p99: 30_000 })
})
