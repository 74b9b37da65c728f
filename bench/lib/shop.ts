/** One API with two routes, whose limits nothing here reaches. */
export function shopYaml(upstream: string, timeouts = '{}'): string {
  return `
failures: {attempts: 1000000000, window: 1m}
apis:
  shop:
    address: shop.test
    upstream: ${upstream}
    timeouts: ${timeouts}
    scopes: {orders.read: Read orders}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
  other: {address: other.test, upstream: ${upstream}}
plans:
  pro:
    apis: [shop]
    kinds: [secret, oauth_client]
    limits: [{name: default, per: credential, requests: 1000000000, window: 1m}]
    quotas: [{name: month, per: credential, requests: 1000000000, period: month}]
  none: {apis: [other], kinds: [secret]}
`
}

/** A request that its route allows, as it is written to a socket. */
export function getRequest(key: string): string {
  return `GET /v1/orders/1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\nAuthorization: Bearer ${key}\r\n\r\n`
}
