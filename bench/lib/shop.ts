/** One API with one route, whose limits nothing here reaches. */
export function shopYaml(upstream: string): string {
  return `
failures: {attempts: 1000000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: ${upstream}
    scopes: {orders.read: Read orders}
    routes: [{id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}]
  other: {address: other.test, upstream: ${upstream}}
plans:
  pro:
    apis: [shop]
    kinds: [secret]
    limits: [{name: default, per: credential, requests: 1000000000, window: 1m}]
    quotas: [{name: month, per: credential, requests: 1000000000, period: month}]
  none: {apis: [other], kinds: [secret]}
`
}
