import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

import { issue, makeAccount, type Account, type Holder } from './support/issue.ts'
import { request, type RawRequest } from './support/raw.ts'
import { startTestServer, type TestServer } from './support/server.ts'
import { until } from './support/until.ts'

const document = `openapi: 3.1.0
paths:
  /orders/{id}:
    get:
      operationId: getOrder
      summary: Read an order
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: X-Shop, in: header, schema: {type: integer}}
    delete:
      operationId: deleteOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
        - {name: X-Confirm, in: header, required: true, schema: {type: string}}
    put:
      operationId: putOrder
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, required: [amount], properties: {amount: {type: integer}}}}
          text/csv: {}
`

let folder: string
let server: TestServer
let account: Account
let key: Holder

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-openapi-'))
  const file = join(folder, 'shop.yaml')
  writeFileSync(file, document)
  server = await startTestServer({
    yaml: `
apis:
  shop: {address: shop.test, upstream: UPSTREAM, openapi: "${file}", validate: true, body_max: 64KiB, timeouts: {idle: 2s}}
plans:
  pro: {apis: [shop], kinds: [secret], limits: [{name: all, per: credential, requests: 100, window: 1h}]}
`,
  })
  account = await makeAccount(server.api, 'pro')
})
afterAll(async () => {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  key = await issue(server.api, account.project, { scopes: [] })
  server.upstream.clear()
})

const json = ['Content-Type', 'application/json'] as const

function send(sent: RawRequest): ReturnType<typeof request> {
  const headers = [['Authorization', `Bearer ${key.value}`] as const, ...(sent.headers ?? [])]
  return request(server.gatewayPort, { ...sent, headers })
}

const put = (body: string, headers: RawRequest['headers'] = [json]) =>
  send({ method: 'PUT', target: '/orders/7', headers, body })

describe('a route with `validate`', () => {
  it('forwards what fits the document, byte for byte', async () => {
    const body = '{ "amount" : 7 , "note":"\\u00e9" }'
    expect((await put(body)).status).toBe(200)
    expect(server.upstream.seen).toMatchObject([{ method: 'PUT', target: '/orders/7', body }])
    expect((await send({ target: '/orders/7' })).status).toBe(200)
  })

  it.each<readonly [string, () => ReturnType<typeof request>, string]>([
    ['a parameter', () => send({ target: '/orders/seven' }), 'The path parameter "id" must be integer.'],
    ['a property', () => put('{"amount":"7"}'), 'The body /amount must be integer.'],
    ['no JSON', () => put('{"amount":7'), 'The body is not JSON.'],
    [
      'another type',
      () => put('<a/>', [['Content-Type', 'text/xml']]),
      'The Content-Type of the body is not one that this operation takes.',
    ],
    ['no type', () => put('{"amount":7}', []), 'The Content-Type of the body is not one that this operation takes.'],
    ['no body', () => put(''), 'The body is missing.'],
    [
      'a header that Connection names, so that it goes no further',
      () =>
        send({
          method: 'DELETE',
          target: '/orders/7',
          headers: [
            ['X-Confirm', 'yes'],
            ['Connection', 'x-confirm'],
          ],
        }),
      'The header parameter "X-Confirm" is missing.',
    ],
    [
      'a type that Connection names',
      () => put('{"amount":7}', [json, ['Connection', 'Content-Type']]),
      'The Content-Type of the body is not one that this operation takes.',
    ],
    ['two types', () => put('{"amount":7}', [json, ['content-type', 'text/csv']]), 'more than one Content-Type'],
  ])(
    'refuses %s with the place and the rule, charges nothing, and the upstream hears nothing of it',
    async (_, call, told) => {
      const answer = await call()
      expect([answer.status, answer.body.code]).toEqual([400, 'request_invalid'])
      expect(answer.body.detail).toContain(told)
      expect(answer.header('RateLimit')).toBeNull()
      expect(server.upstream.seen).toEqual([])
      const next = await send({ target: '/orders/7' })
      expect(next.header('RateLimit')).toMatch(/;r=99;/)
    },
  )

  it('streams what it cannot judge', async () => {
    expect((await put('a,b\n', [['Content-Type', 'text/csv']])).status).toBe(200)
    expect(server.upstream.seen).toMatchObject([{ body: 'a,b\n' }])
  })

  it('says what is wrong with the credential first, before it asks for the body', async () => {
    const head = [
      'PUT /orders/7 HTTP/1.1',
      'Host: shop.test',
      'Content-Type: application/json',
      'Content-Length: 12',
      'Expect: 100-continue',
    ]
    const refused = await dialogue([...head, 'Authorization: Bearer nobody'], '')
    expect(refused).toMatch(/^HTTP\/1\.1 401 /)
    const taken = await dialogue([...head, `Authorization: Bearer ${key.value}`], '{"amount":7}')
    expect(taken).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
    expect(server.upstream.seen).toMatchObject([{ body: '{"amount":7}' }])
  })

  it('judges chunks too where Connection names their coding', async () => {
    const chunked = [
      'PUT /orders/7 HTTP/1.1',
      'Host: shop.test',
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
      'Connection: Transfer-Encoding',
      `Authorization: Bearer ${key.value}`,
    ]
    expect(await dialogue(chunked, '9\r\n{"a":"b"}\r\n0\r\n\r\n')).toContain('request_invalid')
    expect(await dialogue(chunked, 'c\r\n{"amount":7}\r\n0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
    expect(server.upstream.seen).toMatchObject([{ body: '{"amount":7}' }])
  })

  it('takes chunks, and sends them on as one body', async () => {
    const answer = await dialogue(
      [
        'PUT /orders/7 HTTP/1.1',
        'Host: shop.test',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
        `Authorization: Bearer ${key.value}`,
      ],
      '5\r\n{"amo\r\n7\r\nunt":7}\r\n0\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(server.upstream.seen).toMatchObject([{ body: '{"amount":7}' }])
  })

  it('refuses a body that is too large, announced or not', async () => {
    const large = `{"amount":7,"x":"${'x'.repeat(70_000)}"}`
    expect((await put(large)).status).toBe(413)
    const chunked = await dialogue(
      [
        'PUT /orders/7 HTTP/1.1',
        'Host: shop.test',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
        `Authorization: Bearer ${key.value}`,
      ],
      `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
    )
    expect(chunked).toMatch(/^HTTP\/1\.1 413 /)
    expect(server.upstream.seen).toEqual([])
  })

  it('refuses a credential that was revoked while its body came (design section 5)', async () => {
    const socket = connect(server.gatewayPort, '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1').on('data', (text: string) => (got += text))
    socket.write(
      `PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 12\r\nExpect: 100-continue\r\nAuthorization: Bearer ${key.value}\r\n\r\n`,
    )
    await until('it is told to send its body', () => got.includes('100 Continue'))
    expect((await server.api('POST', `/credentials/${key.id}/revoke`, {})).status).toBe(200)
    socket.write('{"amount":7}')
    await until('it is answered', () => got.includes('credential_revoked'))
    expect(got).toMatch(/HTTP\/1\.1 401 /)
    expect(server.upstream.seen).toEqual([])
    socket.destroy()
  })

  it('gives up on a body that does not come', async () => {
    const answer = await dialogue(
      [
        'PUT /orders/7 HTTP/1.1',
        'Host: shop.test',
        'Content-Type: application/json',
        'Content-Length: 12',
        `Authorization: Bearer ${key.value}`,
      ],
      '{"am',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect(server.upstream.seen).toEqual([])
  })

  it('logs a client that leaves in the middle of its body', async () => {
    const socket = connect(server.gatewayPort, '127.0.0.1')
    socket.write(
      `PUT /orders/7 HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: 12\r\nAuthorization: Bearer ${key.value}\r\n\r\n{"am`,
    )
    await new Promise((resolve) => socket.once('connect', resolve))
    socket.destroy()
    await until('it is in the request log', async () => {
      const { body } = await server.api('GET', `/requests?credential=${key.id}`)
      return body.data.some(({ outcome }: { outcome: string }) => outcome === 'client_gone')
    })
    expect(server.upstream.seen).toEqual([])
  })

  it('verify and explain say the same of path, query and headers', async () => {
    const asked = {
      api: 'shop',
      method: 'GET',
      path: '/orders/seven',
      headers: { authorization: `Bearer ${key.value}` },
      ip: '127.0.0.1',
    }
    for (const way of ['verify', 'explain']) {
      const { body } = await server.api('POST', `/${way}`, asked)
      expect([way, body.allowed, body.code, body.status]).toEqual([way, false, 'request_invalid', 400])
    }
    const { body } = await server.api('GET', '/apis/shop/routes')
    expect(body.data[0]).toMatchObject({ id: 'getOrder', title: 'Read an order', validated: true })
  })
})

/** Everything that is answered to one head and what is sent behind it, until the connection is quiet or closed. */
function dialogue(head: readonly string[], body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.gatewayPort, '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => (got += text))
    socket.on('close', () => resolve(got))
    socket.on('error', reject)
    socket.write(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n${body}`)
  })
}
