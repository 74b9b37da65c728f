import type { wire } from '@postern/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { startManagement, type Running } from './support/management.ts'

let running: Running
beforeAll(async () => {
  running = await startManagement()
})
afterAll(async () => await running.stop())
afterEach(() => {
  if (running.faults.length > 0) throw new Error(running.faults.join('\n'))
})

const never = 'acc_00000000000070000000000000000000'
const dayMs = 86_400_000

async function anAccount(plan = 'pro', name = 'Customer'): Promise<wire.CreatedAccount> {
  const { status, body } = await running.call<wire.CreatedAccount>('POST', '/accounts', { body: { name, plan } })
  expect(status).toBe(201)
  return body
}

async function aCredential(
  project: string,
  terms: Partial<wire.CreateCredential> = {},
): Promise<wire.IssuedCredential & { readonly value: string }> {
  const body = { name: 'Key', kind: 'secret', apis: ['shop'], scopes: ['orders.read'], ...terms }
  const answer = await running.call<wire.IssuedCredential>('POST', `/projects/${project}/credentials`, { body })
  expect(answer.text).toContain('"credential"')
  return { ...answer.body, value: answer.body.secret?.value ?? '' }
}

async function verdict(value: string, path = '/v1/orders/1', method = 'GET'): Promise<wire.Decision> {
  const body = { api: 'shop', method, path, headers: { Authorization: `Bearer ${value}` }, ip: '203.0.113.7' }
  return (await running.call<wire.Decision>('POST', '/verify', { body })).body
}

describe('accounts', () => {
  it('makes an account with its live project "default"', async () => {
    const made = await anAccount()
    expect(made.account).toMatchObject({ name: 'Customer', plan: 'pro', state: 'active', version: 1 })
    expect(made.project).toMatchObject({ account: made.account.id, name: 'default', environment: 'live' })
    expect(made).toMatchObject({ credentials: [], skipped: [] })
    const read = await running.call('GET', `/accounts/${made.account.id}`)
    expect(read.body).toEqual(made.account)
    expect(read.headers['etag']).toBe('"1"')
  })

  it('makes the default pairs that the plan allows and names those that it does not', async () => {
    const made = await anAccount('pairs')
    expect(made.credentials).toHaveLength(1)
    expect(made.credentials[0]?.credential).toMatchObject({
      kind: 'secret',
      form: 'pair',
      primary: true,
      scopes: ['*'],
    })
    expect(made.credentials[0]?.secret).toMatchObject({
      public_id: made.credentials[0]?.credential.public_id,
      value: expect.stringMatching(/^[0-9a-f]{8}-/),
      visible_until: new Date(running.clock.now() + 14 * dayMs).toISOString(),
    })
    expect(made.skipped).toEqual([{ name: 'Client-side', kind: 'publishable', apis: ['vch'], code: 'plan_forbids' }])
  })

  it('makes no more default pairs than the plan has room for', async () => {
    const made = await anAccount('tight')
    expect(made.credentials.map(({ credential }) => credential.kind)).toEqual(['secret'])
    expect(made.skipped).toEqual([{ name: 'Client-side', kind: 'publishable', apis: ['vch'], code: 'conflict' }])
    const body = { name: 'Second', environment: 'live' }
    const second = await running.call<wire.CreatedProject>('POST', `/accounts/${made.account.id}/projects`, { body })
    expect(second.body.skipped.map(({ code }) => code)).toEqual(['conflict', 'conflict'])
  })

  it('gives the client-side pair of a project no origins, and a sandbox secret that can always be shown', async () => {
    const { account } = await anAccount('everything')
    const body = { name: 'Try out', environment: 'sandbox' }
    const made = await running.call<wire.CreatedProject>('POST', `/accounts/${account.id}/projects`, { body })
    expect(made.status).toBe(201)
    const client = made.body.credentials.find(({ credential }) => credential.kind === 'publishable')
    expect(client?.credential.origin_allow).toEqual([])
    expect(client?.secret?.visible_until).toBe('always')
  })

  it('refuses an unknown plan and proposes the nearest', async () => {
    const answer = await running.call<wire.Problem>('POST', '/accounts', { body: { name: 'A', plan: 'prp' } })
    expect(answer.status).toBe(422)
    expect(answer.body.errors).toEqual([{ path: '/plan', message: 'is not a declared plan; did you mean "pro"?' }])
  })

  it('refuses the plan of the operator to a customer', async () => {
    const answer = await running.call<wire.Problem>('POST', '/accounts', { body: { name: 'A', plan: 'postern' } })
    expect(answer.status).toBe(422)
  })

  it('changes an account only on top of the version that was read', async () => {
    const { account } = await anAccount()
    const path = `/accounts/${account.id}`
    const absent = await running.call('PATCH', path, { body: { name: 'B' } })
    expect(absent.status).toBe(428)
    const changed = await running.call('PATCH', path, { body: { name: 'B' }, headers: { 'if-match': '"1"' } })
    expect(changed).toMatchObject({ status: 200, body: { name: 'B', version: 2 } })
    expect(changed.headers['etag']).toBe('"2"')
    const stale = await running.call('PATCH', path, { body: { name: 'C' }, headers: { 'if-match': '"1"' } })
    expect(stale).toMatchObject({ status: 412, body: { code: 'version_mismatch' } })
    expect(stale.headers['etag']).toBe('"2"')
    const odd = await running.call('PATCH', path, { body: { name: 'C' }, headers: { 'if-match': 'W/"2"' } })
    expect(odd.status).toBe(412)
  })

  it('keeps overrides until their end', async () => {
    const overrides = {
      limits: [{ name: 'default', per: 'credential', requests: 9, window: '90s', burst: 9 }],
      quotas: [{ name: 'month', per: 'account', requests: 5, period: 'month' }],
      until: '2027-01-01T00:00:00.000Z',
    }
    const made = await running.call<wire.CreatedAccount>('POST', '/accounts', {
      body: { name: 'A', plan: 'pro', overrides },
    })
    expect(made.body.account.overrides).toEqual({ ...overrides, budgets: [] })
  })

  it('stops everything of a suspended account before the answer, and brings it back', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    expect(await verdict(key.value)).toMatchObject({ allowed: true, status: 200 })
    const suspended = await running.call('POST', `/accounts/${account.id}/suspend`, { body: { reason: 'not paid' } })
    expect(suspended).toMatchObject({
      status: 200,
      body: {
        account: { state: 'suspended', suspended_reason: 'not paid' },
        effective_everywhere_by: expect.any(String),
      },
    })
    expect(await verdict(key.value)).toMatchObject({ allowed: false, code: 'account_suspended', status: 403 })
    await running.call('POST', `/accounts/${account.id}/resume`)
    expect(await verdict(key.value)).toMatchObject({ allowed: true })
  })

  it('refuses to suspend the operator', async () => {
    const answer = await running.call('POST', '/accounts/postern/suspend', { body: { reason: 'x' } })
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
  })

  it('walks through a list with cursors, each account once', async () => {
    const seen = new Set<string>()
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '' : `&cursor=${cursor}`
      const page = await running.call<wire.AccountList>('GET', `/accounts?limit=2${query}`)
      for (const { id } of page.body.data) {
        expect(seen.has(id)).toBe(false)
        seen.add(id)
      }
      cursor = page.body.next_cursor
    } while (cursor !== null)
    expect(seen.size).toBe((await running.store.system.counts()).accounts)
  })

  it('answers 404 for an account that does not exist', async () => {
    expect(await running.call('GET', `/accounts/${never}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })
})

describe('issuing', () => {
  it('answers the secret once, in the format of the brand, and it works at once', async () => {
    const { project } = await anAccount()
    const issued = await aCredential(project.id, {
      metadata: { team: 'red' },
      limits: [{ name: 'own', per: 'credential', requests: 5, window: '1m' }],
    })
    expect(issued.secret?.value).toMatch(/^acme_sk_live_[0-9A-Za-z]{50}$/)
    expect(issued.secret).toMatchObject({ hint: issued.value.slice(-4), visible_until: null })
    expect(issued.credential).toMatchObject({
      public_id: issued.value.slice('acme_sk_live_'.length, 'acme_sk_live_'.length + 12),
      state: 'active',
      metadata: { team: 'red' },
      limits: [{ name: 'own', per: 'credential', requests: 5, window: '1m', burst: 5 }],
      expires_at: new Date(running.clock.now() + 90 * dayMs).toISOString(),
    })
    expect(await verdict(issued.value)).toMatchObject({
      allowed: true,
      principal: { credential: issued.credential.id },
    })
  })

  it("issues into an account's default project", async () => {
    const { account, project } = await anAccount()
    const body = { name: 'Key', kind: 'secret', apis: ['shop'], scopes: [] }
    const issued = await running.call<wire.IssuedCredential>('POST', `/accounts/${account.id}/credentials`, { body })
    expect(issued).toMatchObject({ status: 201, body: { credential: { project: project.id } } })
  })

  it.each<[string, object, string, RegExp]>([
    ['an API that is not declared', { apis: ['shpo'] }, '/apis/0', /did you mean "shop"/],
    ['a scope that is not declared', { scopes: ['orders.raed'] }, '/scopes/0', /did you mean "orders.read"/],
    ['a role that is not declared', { role: 'boss' }, '/role', /not a role/],
    ['an address that is none', { ip_allow: ['10.0.0.0/8', '10.0.0.256'] }, '/ip_allow/1', /not an IP address/],
    ['an end in the past', { expires_at: '1970-01-01T00:00:00Z' }, '/expires_at', /not in the future/],
    ['an end later than the plan allows', { expires_at: '2030-01-01T00:00:00Z' }, '/expires_at', /later than the plan/],
    [
      'a start after the end',
      { not_before: '2026-04-01T00:00:00Z', expires_at: '2026-03-31T00:00:00Z' },
      '/not_before',
      /not before/,
    ],
    ['origins for a server-side key', { origin_allow: ['https://shop.example'] }, '/origin_allow', /publishable/],
    [
      'a malformed origin',
      { kind: 'publishable', origin_allow: ['https://shop.example/path'] },
      '/origin_allow/0',
      /without a path/,
    ],
    ['a management credential for another API', { kind: 'management' }, '/apis', /alone/],
    ['a key for the management API', { apis: ['postern'], scopes: [] }, '/apis', /management credentials alone/],
  ])('refuses %s with 422', async (_what, terms, path, message) => {
    const { project } = await anAccount()
    const body = { name: 'Key', kind: 'secret', apis: ['shop'], scopes: ['orders.read'], ...terms }
    const answer = await running.call<wire.Problem>('POST', `/projects/${project.id}/credentials`, { body })
    expect(answer).toMatchObject({ status: 422, body: { code: 'not_acceptable_value' } })
    expect(answer.body.errors).toContainEqual({ path, message: expect.stringMatching(message) })
  })

  it('refuses an end of 0, which is no instant', async () => {
    const { project } = await anAccount()
    const body = { name: 'Key', kind: 'secret', apis: ['shop'], scopes: [], expires_at: 0 }
    const answer = await running.call<wire.Problem>('POST', `/projects/${project.id}/credentials`, { body })
    expect(answer).toMatchObject({ status: 400, body: { code: 'body_invalid', errors: [{ path: '/expires_at' }] } })
  })

  it('refuses kinds, APIs and scopes that the plan does not include, and names them', async () => {
    const { project } = await anAccount('narrow')
    const body = { name: 'Key', kind: 'publishable', apis: ['shop', 'vch'], scopes: ['stock.read'] }
    const mixed = await running.call('POST', `/projects/${project.id}/credentials`, { body })
    expect(mixed.status).toBe(422)
    const answer = await running.call<wire.Problem>('POST', `/projects/${project.id}/credentials`, {
      body: { ...body, apis: ['shop'] },
    })
    expect(answer).toMatchObject({ status: 403, body: { code: 'rights_exceeded' } })
    expect(answer.body.errors?.map(({ path }) => path)).toEqual(['/kind', '/scopes/0'])
  })

  it('refuses one credential more than the plan allows', async () => {
    const { project } = await anAccount('narrow')
    await aCredential(project.id)
    await aCredential(project.id)
    const body = { name: 'Key', kind: 'secret', apis: ['shop'], scopes: ['orders.read'] }
    expect(await running.call('POST', `/projects/${project.id}/credentials`, { body })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    })
  })

  it('refuses rights over the management API that the creator does not have', async () => {
    const { project } = await anAccount()
    const limited = await aCredential(project.id, {
      kind: 'management',
      apis: ['postern'],
      scopes: ['credentials.*', 'usage.read'],
    })
    const ask = async (scopes: string[]) =>
      await running.call<wire.Problem>('POST', `/projects/${project.id}/credentials`, {
        key: limited.value,
        body: { name: 'Key', kind: 'management', apis: ['postern'], scopes },
      })
    expect(await ask(['credentials.read'])).toMatchObject({ status: 201 })
    expect(await ask(['*'])).toMatchObject({
      status: 403,
      body: { code: 'rights_exceeded', errors: [{ path: '/scopes/0' }] },
    })
    expect(await ask(['credentials.read', 'events.read'])).toMatchObject({
      status: 403,
      body: { errors: [{ path: '/scopes/1' }] },
    })
    expect(await ask(['credentials.raed'])).toMatchObject({ status: 422 })
  })

  it('gives nobody the secret of a management credential with more rights than theirs', async () => {
    const { project } = await anAccount()
    const strong = await aCredential(project.id, { kind: 'management', apis: ['postern'], scopes: ['*'] })
    const weak = await aCredential(project.id, { kind: 'management', apis: ['postern'], scopes: ['credentials.*'] })
    const path = `/credentials/${strong.credential.id}`
    expect(await running.call('POST', `${path}/rotate`, { key: weak.value })).toMatchObject({ status: 403 })
    const reveal = `${path}/secrets/${strong.secret?.id}/reveal`
    expect(await running.call('POST', reveal, { key: weak.value })).toMatchObject({
      status: 403,
      body: { code: 'rights_exceeded' },
    })
  })
})

describe('the life of a credential', () => {
  it.each([
    ['block', { reason: 'looks odd' }, 'credential_blocked', 'blocked'],
    ['revoke', {}, 'credential_revoked', 'revoked'],
    [
      'compromise',
      { reason: 'found in a repository', since: '2026-02-01T00:00:00Z' },
      'credential_revoked',
      'compromised',
    ],
  ])('refuses it once %s was answered', async (verb, body, code, state) => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const answer = await running.call<wire.ChangedCredential>('POST', `/credentials/${key.credential.id}/${verb}`, {
      body,
    })
    expect(answer).toMatchObject({
      status: 200,
      body: {
        credential: { state },
        sequence: expect.any(Number),
        effective_everywhere_by: new Date(running.clock.now()).toISOString(),
      },
    })
    expect(await verdict(key.value)).toMatchObject({ allowed: false, code, status: 401 })
  })

  it('unblocks what was blocked, and shows a block that is over as active', async () => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const path = `/credentials/${key.credential.id}`
    const until = new Date(running.clock.now() + 60_000).toISOString()
    await running.call('POST', `${path}/block`, { body: { reason: 'pause', until } })
    expect((await running.call('GET', path)).body).toMatchObject({ state: 'blocked', blocked_until: until })
    running.clock.advance(60_000)
    expect((await running.call('GET', path)).body).toMatchObject({ state: 'active', state_at: until })
    expect(await verdict(key.value)).toMatchObject({ allowed: true })
  })

  it('says expired and not_yet_valid as the decision does, and finds by them', async () => {
    const { account, project } = await anAccount()
    const soon = await aCredential(project.id, { not_before: new Date(running.clock.now() + dayMs).toISOString() })
    const short = await aCredential(project.id, { expires_at: new Date(running.clock.now() + 1000).toISOString() })
    running.clock.advance(1000)
    const stateOf = async (id: string) =>
      (await running.call<wire.CredentialDetail>('GET', `/credentials/${id}`)).body.state
    expect(await stateOf(soon.credential.id)).toBe('not_yet_valid')
    expect(await stateOf(short.credential.id)).toBe('expired')
    const found = await running.call<wire.CredentialList>('GET', `/credentials?account=${account.id}&state=expired`)
    expect(found.body.data.map(({ id }) => id)).toEqual([short.credential.id])
    const renamed = await running.call('PATCH', `/credentials/${short.credential.id}`, {
      body: { name: 'Old' },
      headers: { 'if-match': '"1"' },
    })
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Old' } })
  })

  it('changes rights with the same checks as issuing', async () => {
    const { project } = await anAccount('narrow')
    const key = await aCredential(project.id)
    const patch = async (body: object, version: number) =>
      await running.call<wire.Problem>('PATCH', `/credentials/${key.credential.id}`, {
        body,
        headers: { 'if-match': `"${version}"` },
      })
    expect(await patch({ scopes: ['orders.write'] }, 1)).toMatchObject({
      status: 403,
      body: { code: 'rights_exceeded' },
    })
    expect(await patch({ ip_allow: ['nowhere'] }, 1)).toMatchObject({ status: 422 })
    expect(await patch({ ip_allow: ['198.51.100.0/24'] }, 1)).toMatchObject({ status: 200, body: { version: 2 } })
    expect(await verdict(key.value)).toMatchObject({ code: 'ip_not_allowed' })
  })

  it('deletes by revoking and hiding', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    const answer = await running.call('DELETE', `/credentials/${key.credential.id}`)
    expect(answer).toMatchObject({ status: 200, body: { credential: { state: 'revoked' } } })
    expect(await verdict(key.value)).toMatchObject({ code: 'credential_revoked' })
    const list = await running.call<wire.CredentialList>('GET', `/credentials?account=${account.id}`)
    expect(list.body.data).toEqual([])
  })

  it('lets the old secret work for the overlap, and then only the new one', async () => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const path = `/credentials/${key.credential.id}`
    const rotated = await running.call<wire.RotatedCredential>('POST', `${path}/rotate`, { body: { overlap: '1h' } })
    expect(rotated.status).toBe(200)
    expect(rotated.body.secret.value).toMatch(/^acme_sk_live_/)
    expect(rotated.body.secrets).toHaveLength(2)
    expect(await verdict(key.value)).toMatchObject({ allowed: true })
    running.clock.advance(3_600_000)
    expect(await verdict(key.value)).toMatchObject({ code: 'secret_rotated_out' })
    expect(await verdict(rotated.body.secret.value ?? '')).toMatchObject({ allowed: true })
  })

  it('ends the old secret at once with an overlap of 0s, and any secret on request', async () => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const path = `/credentials/${key.credential.id}`
    const rotated = await running.call<wire.RotatedCredential>('POST', `${path}/rotate`, { body: { overlap: '0s' } })
    expect(await verdict(key.value)).toMatchObject({ code: 'secret_rotated_out' })
    const ended = await running.call('POST', `${path}/secrets/${rotated.body.secret.id}/end`)
    expect(ended.status).toBe(200)
    expect(await verdict(rotated.body.secret.value ?? '')).toMatchObject({ code: 'secret_rotated_out' })
  })

  it('shows a secret again inside its window, and answers 410 from its end', async () => {
    const made = await anAccount('pairs')
    const [pair] = made.credentials
    const path = `/credentials/${pair?.credential.id}/secrets/${pair?.secret?.id}/reveal`
    expect((await running.call('POST', path)).body).toEqual(pair?.secret)
    running.clock.advance(14 * dayMs - 1)
    expect(await running.call('POST', path)).toMatchObject({ status: 200, body: { value: pair?.secret?.value } })
    running.clock.advance(1)
    expect(await running.call('POST', path)).toMatchObject({ status: 410, body: { code: 'window_closed' } })
  })

  it('answers 410 for a secret that is shown once', async () => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const path = `/credentials/${key.credential.id}/secrets/${key.secret?.id}/reveal`
    expect(await running.call('POST', path)).toMatchObject({ status: 410, body: { code: 'window_closed' } })
  })

  it('finds by project, kind, API and name', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id, { name: 'Warehouse robot' })
    await aCredential(project.id, { kind: 'publishable', name: 'Shop page' })
    const ids = async (query: string) =>
      (await running.call<wire.CredentialList>('GET', `/credentials?account=${account.id}&${query}`)).body.data.map(
        ({ id }) => id,
      )
    expect(await ids('kind=secret')).toEqual([key.credential.id])
    expect(await ids('search=house')).toEqual([key.credential.id])
    expect(await ids(`search=${key.credential.public_id}`)).toEqual([key.credential.id])
    expect(await ids(`project=${project.id}&api=shop`)).toHaveLength(2)
    expect(await ids('api=vch')).toEqual([])
    expect(await ids('state=active&limit=1')).toHaveLength(1)
  })
})

describe('import', () => {
  const digest = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  const line = { digest, name: 'Old key', kind: 'secret', apis: ['shop'], scopes: ['orders.read'] }

  it('takes over a key by its digest, so that its holder needs no new one', async () => {
    const { project } = await anAccount()
    const path = `/projects/${project.id}/credentials/import`
    const tried = await running.call<wire.ImportReport>('POST', path, { body: { dry_run: true, credentials: [line] } })
    expect(tried).toMatchObject({ status: 200, body: { dry_run: true, refused: [] } })
    expect(await verdict('hello')).toMatchObject({ code: 'credential_unknown' })
    const done = await running.call<wire.ImportReport>('POST', path, { body: { credentials: [line] } })
    expect(done.body.imported).toHaveLength(1)
    expect(await verdict('hello')).toMatchObject({ allowed: true, principal: { credential: done.body.imported[0] } })
    const again = await running.call<wire.ImportReport>('POST', path, { body: { credentials: [line] } })
    expect(again.body).toMatchObject({ imported: [], skipped: [0] })
  })

  it('names each refused line, and imports the others only when asked to', async () => {
    const { project } = await anAccount()
    const path = `/projects/${project.id}/credentials/import`
    const good = { ...line, digest: Buffer.alloc(32, 7).toString('base64') }
    const credentials = [
      { ...line, digest: 'x'.repeat(64) },
      good,
      { ...good, kind: 'management' },
      { ...good, scopes: ['nope'] },
    ]
    const whole = await running.call<wire.Problem>('POST', path, { body: { credentials } })
    expect(whole.status).toBe(422)
    expect(whole.body.errors?.map(({ path: at }) => at)).toEqual(['/credentials/0', '/credentials/2', '/credentials/3'])
    const part = await running.call<wire.ImportReport>('POST', path, { body: { credentials, partial: true } })
    expect(part.body.imported).toHaveLength(1)
    expect(part.body.refused.map(({ index }) => index)).toEqual([0, 2, 3])
  })
})

describe('asking about decisions', () => {
  it('charges limits and meters last use when it verifies, and does neither when it explains', async () => {
    const { project } = await anAccount('slow')
    const key = await aCredential(project.id)
    const body = {
      api: 'shop',
      method: 'GET',
      path: '/v1/orders/1',
      headers: { authorization: `Bearer ${key.value}` },
      ip: '203.0.113.7',
    }
    for (let i = 0; i < 5; i++) {
      expect((await running.call<wire.Decision>('POST', '/explain', { body })).body).toMatchObject({
        allowed: true,
        status: 200,
      })
    }
    for (let i = 0; i < 3; i++) expect(await verdict(key.value)).toMatchObject({ allowed: true })
    const limited = await verdict(key.value)
    expect(limited).toMatchObject({ allowed: false, code: 'rate_limited', status: 429 })
    expect(Object.keys(limited.headers).map((name) => name.toLowerCase())).toContain('retry-after')
    await running.store.usage.flush(running.recorder.take(running.clock.now()))
    const detail = await running.call<wire.CredentialDetail>('GET', `/credentials/${key.credential.id}`)
    expect(detail.body.secrets[0]).toMatchObject({
      last_accepted: { ip: '203.0.113.7' },
      last_refused: { ip: '203.0.113.7', code: 'rate_limited' },
    })
    expect(detail.body.observed_through).toEqual(expect.any(String))
  })

  it('tells the upstream who the request is, and the caller why it is refused', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    const allowed = await verdict(key.value)
    expect(allowed.headers).toMatchObject({
      'X-Postern-Account': account.id,
      'X-Postern-Credential': key.credential.id,
    })
    const refused = await verdict(key.value, '/v1/orders/1', 'PUT')
    expect(refused).toMatchObject({ allowed: false, code: 'scope_missing', status: 403 })
    expect(refused.trace.at(-1)).toMatchObject({ step: 'scopes', outcome: 'fail', code: 'scope_missing' })
  })

  it('finds a refused request in the log and explains it from the stored trace', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    const refused = await verdict(key.value, '/v1/orders/1', 'PUT')
    await running.store.usage.flush(running.recorder.take(running.clock.now()))
    const log = await running.call<wire.RequestList>(
      'GET',
      `/requests?account=${account.id}&code=scope_missing&status=403`,
    )
    expect(log.body.data).toHaveLength(1)
    const id = log.body.data[0]?.id ?? ''
    const explained = await running.call<wire.Decision>('POST', '/explain', { body: { request_id: id } })
    expect(explained.body).toMatchObject({ allowed: false, code: 'scope_missing', status: 403, trace: refused.trace })
    expect((await running.call('GET', `/requests/${id}`)).body).toMatchObject({
      method: 'PUT',
      path: '/v1/orders/1',
      trace: refused.trace,
    })
  })

  it('reads a header that came twice as two headers', async () => {
    const { project } = await anAccount()
    const key = await aCredential(project.id)
    const other = await aCredential(project.id)
    const headers = { Authorization: [`Bearer ${key.value}`, `Bearer ${other.value}`] }
    const body = { api: 'shop', method: 'GET', path: '/v1/orders/1', headers, ip: '203.0.113.7' }
    expect((await running.call('POST', '/explain', { body })).body).toMatchObject({
      code: 'credential_ambiguous',
      status: 400,
    })
  })

  it('counts uses by what was asked for', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    await verdict(key.value)
    await verdict(key.value, '/v1/orders/1', 'PUT')
    await running.store.usage.flush(running.recorder.take(running.clock.now()))
    const from = new Date(running.clock.now() - 3_600_000).toISOString()
    const to = new Date(running.clock.now() + 60_000).toISOString()
    const query = `from=${from}&to=${to}&step=minute&group_by=outcome&account=${account.id}`
    const usage = await running.call<wire.Usage>('GET', `/usage?${query}`)
    const counts = Object.fromEntries(usage.body.data.map(({ group, count }) => [group['outcome'], count]))
    expect(counts).toEqual({ '2xx': 1, scope_missing: 1 })
    expect(await running.call('GET', `/usage?${query}x`)).toMatchObject({ status: 200, body: { data: [] } })
    expect(await running.call('GET', `/usage?from=${to}&to=${from}`)).toMatchObject({ status: 422 })
    expect(await running.call('GET', `/usage?from=${from}&to=${to}&group_by=secret`)).toMatchObject({ status: 400 })
  })
})

describe('what is declared and what happened', () => {
  it('reads plans, APIs and routes', async () => {
    expect((await running.call('GET', '/plans/pro')).body).toMatchObject({
      max_key_age: '90d',
      scopes: ['*'],
      limits: [{ window: '1m' }],
    })
    const api = (await running.call<wire.Api>('GET', '/apis/vch')).body
    expect(api).toMatchObject({ preset: 'voucherify', form: 'pair' })
    expect(api.credentials[0]).toMatchObject({ in: 'pair', id: 'x-app-id', secret: 'x-app-token', accept: ['key'] })
    const routes = await running.call<wire.RouteList>('GET', '/apis/shop/routes?limit=1')
    expect(routes.body.data).toMatchObject([{ id: 'getOrder', path: '/v1/orders/{id}' }])
    const next = await running.call<wire.RouteList>(
      'GET',
      `/apis/shop/routes?limit=1&cursor=${routes.body.next_cursor}`,
    )
    expect(next.body).toMatchObject({ data: [{ id: 'putOrder' }], next_cursor: null })
  })

  it('keeps an event of every change, with who did it', async () => {
    const { account, project } = await anAccount()
    const key = await aCredential(project.id)
    await running.call('POST', `/credentials/${key.credential.id}/revoke`, { body: { reason: 'done' } })
    const log = await running.call<wire.EventList>('GET', `/events?account=${account.id}`)
    expect(log.body.data.map(({ action }) => action)).toEqual([
      'credential.revoked',
      'credential.created',
      'project.created',
      'account.created',
    ])
    expect(log.body.data[0]).toMatchObject({
      actor: { kind: 'bootstrap', id: 'POSTERN_MANAGEMENT_KEY' },
      target: { kind: 'credential', id: key.credential.id },
      request_id: expect.stringMatching(/^req_/),
      ip: '127.0.0.1',
    })
    const one = await running.call('GET', `/events/${log.body.data[0]?.sequence}`)
    expect(one.body).toEqual(log.body.data[0])
    expect(await running.call('GET', '/events/999999')).toMatchObject({ status: 404 })
    expect(await running.call('GET', '/events/x')).toMatchObject({ status: 404 })
  })

  it('tells the state of the server', async () => {
    expect((await running.call('GET', '/system')).body).toMatchObject({
      store: 'sqlite',
      feed: { stale: false },
      space: { full: false },
    })
  })

  it('makes a backup while it serves, line by line', async () => {
    const answer = await running.call('POST', '/system/backup', { body: { name: 'first' } })
    const lines = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as wire.BackupLine)
    expect(lines.at(-1)).toMatchObject({ folder: expect.stringMatching(/first$/) })
    expect(await running.call('POST', '/system/backup', { body: { name: '../elsewhere' } })).toMatchObject({
      status: 400,
    })
  })
})
