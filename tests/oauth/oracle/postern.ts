import { aPerson, type Person } from '../../identity/support/person.ts'
import { makeAccount } from '../../support/issue.ts'
import { issueClient, oauthYaml } from '../../support/oauth.ts'
import { startTestServer, type TestServer } from '../../support/server.ts'
import { loopbackUri, redirectUri, scopes, type Side } from './side.ts'

const password = 'a wombat in violet velvet'
const email = 'ada@shop.example'

/** Postern as it is started, with the same clients as the other side. */
export async function startPostern(): Promise<Side> {
  const server = await startTestServer({
    yaml: `failures: {attempts: 1000000, window: 1m}${oauthYaml}`,
    ownPorts: 5,
  })
  const { id: account, project } = await makeAccount(server.api, 'pro')
  const client = async (oauth: object) => {
    const { publicId, value } = await issueClient(server.api, project, { scopes, oauth })
    return { id: publicId, secret: value }
  }
  const web = {
    type: 'confidential',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: [redirectUri],
  }
  const clients = {
    web: await client(web),
    other: await client(web),
    machine: await client({ type: 'confidential', grant_types: ['client_credentials'] }),
    native: await client({ type: 'public', redirect_uris: [redirectUri, loopbackUri] }),
  }
  const person = await joinAs(server, account)
  return {
    name: 'Postern',
    endpoints: {
      token: `${server.console}/oauth/token`,
      introspect: `${server.console}/oauth/introspect`,
      revoke: `${server.console}/oauth/revoke`,
      authorize: `${server.console}/oauth/authorize`,
    },
    clients,
    besides: '',
    consent: (url) => consent(person, server.console, url),
    close: () => server.stop(),
  }
}

/** Somebody who follows an invitation to the account, and is signed in. */
export async function joinAs({ api, console }: TestServer, account: string): Promise<Person> {
  const person = aPerson(console)
  const invited = await api('POST', `/accounts/${account}/invitations`, { email, role: 'developer' })
  const link = await person.get(new URL(invited.body.link.value).pathname)
  const form = link.location === null ? link : await person.follow(link)
  await person.submit(form, { name: 'Ada', password, repeated: password })
  return person
}

/** Signs in where that is asked for, and allows. */
export async function consent(person: Person, origin: string, url: string): Promise<URL> {
  let shown = await person.get(url)
  for (let step = 0; step < 8; step++) {
    if (shown.location !== null) {
      const target = new URL(shown.location, origin)
      if (target.origin !== origin) return target
      shown = await person.follow(shown)
    } else if (shown.text.includes('name="password"')) {
      shown = await person.submit(shown, { email, password })
    } else {
      shown = await person.submit(shown, { decision: 'allow' })
    }
  }
  throw new Error(`no way on: ${shown.words}`)
}
