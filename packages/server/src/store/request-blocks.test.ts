import { describe, expect, it } from 'vitest'

import { fixedClock } from '../base/clock.ts'
import { createIds } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import type { RequestFilter, RequestRow } from '../core/usage/usage.ts'
import { aRequest } from './conformance.ts'
import { matchingRequests, packRequests, termsOf } from './request-blocks.ts'

const everything: RequestFilter = {
  account: null,
  project: null,
  credential: null,
  token: null,
  grant: null,
  label: null,
  api: null,
  code: null,
  status: null,
  from: null,
  to: null,
}
const all = (rows: string): readonly RequestRow[] => matchingRequests(rows, everything, () => true)

describe('a block of requests', () => {
  it('gives back who took each of them, of requests that are the same otherwise', () => {
    const ids = createIds(fixedClock(5_000), systemRandom)
    const vias = ['gateway', 'forward_auth', 'verify', 'management', null] as const
    const requests = vias.map((via) => aRequest(5_000, { id: ids.next('req'), via }))
    const [block, ...others] = packRequests(requests)
    expect(others).toEqual([])
    expect(all(block?.rows ?? '')).toEqual(requests)
  })

  it('that was written before that was kept is read as it was', () => {
    const old =
      '{"who":[["acc_1","prj_1","cred_1","sec_1"]],"what":[["shop","getOrder","GET",200,null,"2xx"]],' +
      '"from":[["192.0.2.1","ZZ",null]],"refusals":[]}\n' +
      '{"id":["req_1"],"at":[5000],"path":["/v1/orders/1"],"latencyMs":[1.5],"who":[0],"what":[0],"from":[0],"traces":[]}'
    expect(all(old)).toEqual([{ ...aRequest(5_000), id: 'req_1', via: null }])
  })
})

/** As blocks were written before there were tokens. */
const before = `{"who":[["acc_1","prj_1","cred_1","sec_1"],[null,null,null,null]],"what":[["shop","getOrder","GET",200,null,"2xx"],["shop",null,"GET",401,"credential_unknown","credential_unknown"]],"from":[["192.0.2.1","ZZ",null]],"refusals":[[1,1]]}
{"id":["req_018bcfe568007aaaaaaaaaaaaaaaaaaa","req_018bcfe568007bbbbbbbbbbbbbbbbbbb"],"at":[1700000000000,1700000000001],"path":["/v1/orders/1","/v1/orders/2"],"latencyMs":[1.5,2],"who":[0,1],"what":[0,1],"from":[0,0],"traces":[[1,"[]"]]}`

describe('a block of before there were tokens', () => {
  it('is read with none', () => {
    const found = matchingRequests(before, everything, () => true)
    expect(
      found.map(({ credential, secret, token, grant, label }) => [credential, secret, token, grant, label]),
    ).toEqual([
      ['cred_1', 'sec_1', null, null, null],
      [null, null, null, null, null],
    ])
    expect(termsOf(before)).not.toContainEqual(expect.stringMatching(/^(token|grant) /))
  })

  it('is found by nothing that tokens have', () => {
    for (const filter of [{ token: 'tok_1' }, { grant: 'grt_1' }, { label: 'till' }]) {
      expect(matchingRequests(before, { ...everything, ...filter }, () => true)).toEqual([])
    }
  })

  it('is what requests without tokens are packed into still', () => {
    const requests = matchingRequests(before, everything, () => true)
    expect(packRequests(requests)).toEqual([{ second: 1_700_000_000, rows: before }])
  })
})
