import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { differences } from './oracle/differences.ts'
import { startOracle } from './oracle/oracle.ts'
import { startPostern } from './oracle/postern.ts'
import { probes } from './oracle/probes.ts'
import type { Seen, Side } from './oracle/side.ts'

let postern: Side
let oracle: Side
const met = new Set<string>()

beforeAll(async () => {
  oracle = await startOracle()
  postern = await startPostern()
})

afterAll(async () => {
  await oracle.close()
  await postern.close()
})

/** Where ours differs from theirs and nobody says why. */
function unexplained(name: string, theirs: Seen, ours: Seen): Partial<Record<keyof Seen, unknown>> {
  const differing = fields.filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]))
  const left = differing.filter((field) => {
    const why = differences.find(
      (each) =>
        each.names.test(name) && field in each.ours && JSON.stringify(each.ours[field]) === JSON.stringify(ours[field]),
    )
    if (why !== undefined) met.add(why.reason)
    return why === undefined
  })
  return Object.fromEntries(left.map((field) => [field, { theirs: theirs[field], ours: ours[field] }]))
}

const fields = [
  'status',
  'error',
  'redirect',
  'state',
  'iss',
  'json',
  'noStore',
  'challenge',
  'members',
  'scope',
  'active',
] as const satisfies readonly (keyof Seen)[]

describe('the same request is answered as node-oidc-provider answers it, or the difference has a reason', () => {
  it.each(probes)('$name', async (probe) => {
    expect(unexplained(probe.name, await probe.run(oracle), await probe.run(postern))).toEqual({})
  })

  it('and every reason is needed, of more than 150 requests', () => {
    expect(differences.map(({ reason }) => reason).filter((reason) => !met.has(reason))).toEqual([])
    expect(probes.length).toBeGreaterThan(150)
  })
})
