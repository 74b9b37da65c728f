import { bearer, holderOf, issue, makeAccount, type Holder } from '../../tests/support/issue.ts'
import { startServerProcess, type ServerProcess } from '../../tests/support/process.ts'
import type { ApiCall } from '../../tests/support/server.ts'
import { pause, until } from '../../tests/support/until.ts'
import { shopYaml } from './shop.ts'
import { randomIntegers } from './stats.ts'

export interface KillOptions {
  /** `sqlite`, or the address of an empty PostgreSQL. */
  readonly store: string
  readonly kills: number
  readonly seed: number
  readonly progress?: (text: string) => void
}

export interface KillOutcome {
  readonly kills: number
  readonly acknowledged: number
  /** Sentences; empty: nothing acknowledged was lost, nothing revoked came back, every audit chain was intact. */
  readonly broken: readonly string[]
}

/** What was acknowledged of one secret. `open`: a change of it was under way when the server died. */
interface Entry {
  readonly holder: Holder
  state: 'live' | 'dead' | 'open'
}

const writers = 8

/**
 * Kills the server at random moments while it issues, rotates and revokes, starts it again on the same store, and
 * holds what it then decides against what it had acknowledged.
 */
export async function killRepeatedly({ store, kills, seed, progress }: KillOptions): Promise<KillOutcome> {
  const next = randomIntegers(seed)
  const broken: string[] = []
  const entries: Entry[] = []
  let server = await startServerProcess({ yaml: shopYaml('http://127.0.0.1:9'), store })
  const { folder } = server
  try {
    const { project } = await makeAccount(server.api, 'pro')
    let acknowledged = 0
    for (let kill = 1; kill <= kills; kill++) {
      const touched: Entry[] = []
      const writing = Array.from({ length: writers }, () => writeUntilGone(server.api, project, touched))
      // However slow the machine is, there is something that could be lost.
      await until('writes are acknowledged', () => touched.length > 12)
      await pause(20 + (next() % 1_500))
      await server.kill()
      acknowledged += (await Promise.all(writing)).reduce((sum, count) => sum + count, 0)
      entries.push(...touched)
      server = await startServerProcess({ yaml: shopYaml('http://127.0.0.1:9'), store, folder })
      broken.push(...(await differences(server, touched, kill)))
      if (kill % 10 === 0) progress?.(`${store.split(':')[0] ?? ''}: ${kill} of ${kills} kills`)
    }
    broken.push(...(await differences(server, entries, kills)))
    return { kills, acknowledged, broken }
  } finally {
    await server.kill()
    server.remove()
  }
}

/** Issues, rotates and revokes until the server does not answer; answers how many writes it acknowledged. */
async function writeUntilGone(api: ApiCall, project: string, entries: Entry[]): Promise<number> {
  let acknowledged = 0
  try {
    for (;;) {
      const first: Entry = { holder: await issue(api, project), state: 'live' }
      entries.push(first)
      acknowledged++
      first.state = 'open'
      const rotated = await api('POST', `/credentials/${first.holder.id}/rotate`, { overlap: '0s' })
      if (rotated.status !== 200) throw new Error(rotated.text)
      first.state = 'dead'
      const second: Entry = { holder: holderOf(rotated.body), state: 'live' }
      entries.push(second)
      acknowledged++
      if (acknowledged % 4 === 0) continue
      second.state = 'open'
      const revoked = await api('POST', `/credentials/${first.holder.id}/revoke`, {})
      if (revoked.status !== 200) throw new Error(revoked.text)
      second.state = 'dead'
      acknowledged++
    }
  } catch (error) {
    // Only the death of the server may end the loop: fetch says so with a TypeError.
    if (!(error instanceof TypeError)) throw error
    return acknowledged
  }
}

async function differences(server: ServerProcess, entries: readonly Entry[], kill: number): Promise<readonly string[]> {
  const found: string[] = []
  const settled = entries.filter(({ state }) => state !== 'open')
  for (let at = 0; at < settled.length; at += writers) {
    const some = settled.slice(at, at + writers)
    const answers = await Promise.all(some.map(({ holder }) => isAllowed(server.api, holder)))
    some.forEach(({ holder, state }, i) => {
      if (answers[i] !== (state === 'live')) found.push(`after kill ${kill}: ${holder.secretId} should be ${state}`)
    })
  }
  const audit = await server.api('POST', '/system/audit/verify')
  if (audit.body?.result !== 'intact') found.push(`after kill ${kill}: the audit chain says ${audit.text}`)
  return found
}

async function isAllowed(api: ApiCall, { value }: Holder): Promise<boolean> {
  const [name, credential] = bearer(value)
  const answer = await api('POST', '/verify', {
    api: 'shop',
    method: 'GET',
    path: '/v1/orders/1',
    headers: { [name]: credential },
    ip: '203.0.113.7',
  })
  return answer.body?.allowed === true
}
