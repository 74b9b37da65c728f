import { createHash } from 'node:crypto'

import { fixedClock, type FixedClock } from '../../../packages/server/src/base/clock.ts'
import type { MemberRole } from '../../../packages/server/src/core/people/member.ts'
import { issue, type Holder, makeAccount } from '../../support/issue.ts'
import { encoded, type Form } from '../../support/oauth.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { aPerson, type Person } from './person.ts'
import { password } from './world.ts'

export interface Whole {
  readonly server: TestServer
  readonly clock: FixedClock
  person(): Person
  account(name: string, plan?: string): Promise<{ readonly id: string; readonly project: string }>
  /** Somebody who has joined the account and is signed in. */
  member(account: string, email: string, role?: MemberRole): Promise<Person>
  /** Whoever has a sign-in already joins another account. */
  join(person: Person, account: string, email: string, role?: MemberRole): Promise<void>
  stop(): Promise<void>
}

const yaml = `
request_log: {refusals_per_second_per_ip: 10000}
apis:
  shop:
    address: ":PORT0"
    upstream: UPSTREAM
    oauth: {paths: standard}
    scopes: {orders.read: Read orders, orders.write: "Create, change and cancel orders", stock.read: Read stock}
    member_scopes: {developer: [orders.read, orders.write], viewer: [orders.read]}
    routes:
      - {id: getOrder, methods: [GET], path: "/v1/orders/{id}", scopes: {any: [orders.read]}}
      - {id: putOrder, methods: [PUT], path: "/v1/orders/{id}", scopes: {any: [orders.write]}}
plans:
  pro: {apis: [shop], kinds: [secret, oauth_client]}
  small: {apis: [shop], kinds: [secret, oauth_client], scopes: [orders.read]}
  none: {apis: []}
`

/** The whole server, on a clock that moves only when told. */
export async function startWhole(): Promise<Whole> {
  const clock = fixedClock(Date.UTC(2026, 10, 23, 12))
  const server = await startTestServer({ yaml, clock, ownPorts: 1 })
  /** The path of an invitation's link. */
  const invite = async (account: string, email: string, role: MemberRole): Promise<string> => {
    const made = await server.api('POST', `/accounts/${account}/invitations`, { email, role })
    if (made.status !== 201) throw new Error(made.text)
    return new URL(made.body.link.value).pathname
  }
  const person = () => aPerson(server.console, { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' })
  return {
    server,
    clock,
    person,
    account: (name, plan = 'pro') => makeAccount(server.api, plan, name),
    member: async (account, email, role = 'owner') => {
      const joined = person()
      const welcome = await joined.get(await invite(account, email, role))
      const answer = await joined.submit(welcome, { name: 'Ada Lovelace', password, repeated: password })
      if (answer.location !== '/me?done=joined') throw new Error(answer.words)
      return joined
    },
    join: async (joining, account, email, role = 'owner') => {
      const answer = await joining.submit(await joining.get(await invite(account, email, role)), {})
      if (answer.location !== '/me?done=joined') throw new Error(answer.words)
    },
    stop: () => server.stop(),
  }
}

export const redirectUri = 'https://app.example/cb'

/** A client for people: confidential, may ask for all scopes of the shop, and stays signed in. */
export async function aClient(
  { server }: Whole,
  project: string,
  oauth: object = {},
  fields: object = {},
): Promise<Holder> {
  return await issue(server.api, project, {
    name: 'Orders Insight',
    kind: 'oauth_client',
    scopes: ['*'],
    oauth: {
      type: 'confidential',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
      ...oauth,
    },
    ...fields,
  })
}

export const verifier = 'a-verifier-of-forty-three-characters-0123456789'

/** The path of an authorization request that is right, but for what `more` says. */
export function asking({ publicId }: Holder, more: Form = {}): string {
  const parameters = {
    response_type: 'code',
    client_id: publicId,
    redirect_uri: redirectUri,
    state: 'a state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  }
  return `/oauth/authorize?${encoded(parameters)}`
}

/** What the client is told in the address that the browser is sent back to. */
export function told(location: string | null, to = redirectUri): Readonly<Record<string, string>> {
  if (location === null || !location.startsWith(`${to}?`)) throw new Error(`not sent back to the client: ${location}`)
  return Object.fromEntries(new URL(location).searchParams)
}
