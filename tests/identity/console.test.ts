import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startTestServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const yaml = `
log: {access: ./access.log}
apis:
  shop: {address: shop.example.com, upstream: UPSTREAM, scopes: {orders.read: Read orders}}
plans:
  pro: {apis: [shop]}
`

describe('people’s pages on the console', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer({ yaml })
  })
  afterAll(async () => {
    await server.stop()
  })
  const get = (path: string, headers = {}) => fetch(server.console + path, { redirect: 'manual', headers })

  it('stand beside the management API, each header once', async () => {
    const page = await get('/sign-in')
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('referrer-policy')).toBe('no-referrer')
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(await page.text()).toContain('<h1>Sign in</h1>')
    expect((await get('/me')).headers.get('location')).toBe('/sign-in?continue=%2Fme')
    expect((await get('/api/v1/system')).status).toBe(401)
    expect((await get('/sign-in/nothing')).status).toBe(404)
  })

  it('do not open the management API: a session’s cookie is no credential of it', async () => {
    const cookie = `postern_session=${'A'.repeat(43)}; __Host-postern_session=${'A'.repeat(43)}`
    const answer = await get('/api/v1/system', { cookie })
    expect([answer.status, await answer.text()]).toEqual([401, expect.stringContaining('credential_missing')])
  })

  it('are counted and logged, but no secret of a link is', async () => {
    const secret = `canary${'x'.repeat(37)}`
    for (const path of [
      `/invitation/${secret}`,
      `/reset/${secret}`,
      `/reset/${secret}/`,
      `/invitation/${secret}?a=b`,
    ]) {
      expect((await get(path)).status).toBe(404)
    }
    type Row = { readonly path: string; readonly status: number }
    const rows = async (): Promise<readonly Row[]> => (await server.api('GET', '/requests?limit=100')).body.data
    await until(
      'those of our paths are logged',
      async () => (await rows()).filter(({ path }) => path.includes('{')).length === 3,
    )
    expect((await rows()).map(({ path }) => path)).toContain('/reset/{secret}')
    expect(filesIn(server.folder).filter((file) => readFileSync(file).includes(secret))).toEqual([])
    expect(server.logged.join('\n')).not.toContain(secret)
  })
})

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}
