import { describe, expect, it } from 'vitest'

import type { Config } from './config.ts'
import { loadConfigText } from './load.ts'
import { orphans } from './orphans.ts'

function load(text: string): Config {
  const result = loadConfigText(`version: 1\nbrand: acme\n${text}`, { file: 'postern.yaml', env: {} })
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const whole = `apis:
  shop: {address: a.example, upstream: "http://x", scopes: {orders.read: R, orders.write: W}}
  other: {address: b.example, upstream: "http://x"}
plans: {free: {apis: [shop]}, pro: {apis: [shop, other]}}
`
const smaller = `apis:
  shop: {address: a.example, upstream: "http://x", scopes: {orders.read: R}}
plans: {pro: {apis: [shop]}}
`
const used = {
  plans: { free: 2, pro: 1 },
  apis: { shop: 5, other: 1, postern: 1 },
  scopes: { 'orders.read': 4, 'orders.write': 3, '*': 1, 'accounts.read': 1 },
  places: [],
}

describe('a reload that would orphan rows', () => {
  it('is refused with counts for every plan, API and scope that is gone and in use', () => {
    expect(orphans(load(whole), load(smaller), used)).toEqual([
      'the plan "free" is gone, but 2 accounts use it; keep it with "retired: true" until nothing does',
      'the API "other" is gone, but 1 live credential uses it; keep it with "retired: true" until nothing does',
      'the scope "orders.write" is gone, but 3 live credentials use it; keep it with "retired: true" until nothing does',
    ])
  })

  it('is accepted where nothing uses what is gone', () => {
    expect(
      orphans(load(whole), load(smaller), { plans: { pro: 1, free: 0 }, apis: { shop: 1 }, scopes: {}, places: [] }),
    ).toEqual([])
  })

  it('is accepted where nothing is gone, whatever else is in use', () => {
    expect(orphans(load(whole), load(whole), used)).toEqual([])
  })

  it('is accepted where the entry stays and is retired, and later when it leaves', () => {
    const retired = whole
      .replace('free: {', 'free: {retired: true, ')
      .replace('other: {', 'other: {retired: true, ')
      .replace('orders.write: W', 'orders.write: {description: W, retired: true}')
    expect(orphans(load(whole), load(retired), used)).toEqual([])
    expect(orphans(load(retired), load(smaller), used)).toEqual([])
  })

  it('counts a scope as declared while any API declares it', () => {
    const moved = smaller.replace('{orders.read: R}', '{orders.read: R, orders.write: W}')
    expect(orphans(load(whole), load(moved), { plans: {}, apis: {}, scopes: used.scopes, places: [] })).toEqual([])
  })

  describe('CRC-7: or that would leave credentials without an address or upstream', () => {
    const regional = `apis:
  shop:
    address: {live: {eu: a.example, us: b.example}, sandbox: c.example}
    upstream: {live: {eu: "http://eu", us: "http://us"}, sandbox: "http://x"}
`
    const place = (environment: 'live' | 'sandbox', region: string | null, credentials = 1) => ({
      api: 'shop',
      environment,
      region,
      credentials,
    })
    const using = (...places: ReturnType<typeof place>[]) => ({ plans: {}, apis: { shop: 9 }, scopes: {}, places })
    const euOnly = regional.replace(', us: b.example', '').replace(', us: "http://us"', '')

    it('is refused with counts', () => {
      expect(orphans(load(regional), load(euOnly), using(place('live', 'eu', 4), place('live', 'us', 3)))).toEqual([
        'the API "shop" no longer serves live projects in the region "us", but there are 3 live credentials of such; keep its address and upstream until there is none',
      ])
      const plain = load('apis: {shop: {address: a.example, upstream: "http://x"}}')
      expect(orphans(plain, load(regional), using(place('live', null), place('live', 'eu')))).toEqual([
        'the API "shop" no longer serves live projects without a region, but there is 1 live credential of such; give these projects a region first',
      ])
    })

    it('is accepted where nobody is left, where it never worked, and where the API is retired', () => {
      expect(orphans(load(regional), load(euOnly), using(place('live', 'eu'), place('sandbox', 'us')))).toEqual([])
      expect(orphans(load(regional), load(euOnly), using(place('live', 'ap'), place('live', null)))).toEqual([])
      const retired = regional.replace('shop:', 'shop:\n    retired: true')
      expect(orphans(load(retired), load(euOnly), using(place('live', 'us')))).toEqual([])
    })
  })
})
