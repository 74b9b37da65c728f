import { systemClock } from '../../packages/server/src/base/clock.ts'
import { Feed } from '../../packages/server/src/core/feed/feed.ts'
import { GrantTable } from '../../packages/server/src/core/grants/grant-table.ts'
import { RecordTable } from '../../packages/server/src/core/records/table.ts'
import { TokenCache } from '../../packages/server/src/core/tokens/token-cache.ts'
import { openStore } from '../../packages/server/src/store/index.ts'
import { issue, makeAccount } from '../../tests/support/issue.ts'
import { startServerProcess } from '../../tests/support/process.ts'
import { pause, until } from '../../tests/support/until.ts'
import { shopYaml } from './shop.ts'
import { inTemporaryFolder } from './temporary.ts'

export interface Propagation {
  /** Milliseconds from the answered revoke until the other node knew of it; 0 where it knew before. */
  readonly withHint: readonly number[]
  readonly byPolling: readonly number[]
}

/** Revokes on one node, and watches the records of two others on the same PostgreSQL: one is hinted, one only polls. */
export async function propagate(url: string, rounds: number): Promise<Propagation> {
  const server = await startServerProcess({ yaml: shopYaml('http://127.0.0.1:9'), store: url })
  try {
    return await inTemporaryFolder(async (folder) => {
      const hinted = await startNode(url, folder, true)
      const polling = await startNode(url, folder, false)
      try {
        const { project } = await makeAccount(server.api, 'pro')
        const withHint: number[] = []
        const byPolling: number[] = []
        for (let round = 0; round < rounds; round++) {
          const { id } = await issue(server.api, project)
          await until('both nodes know the key', () => hinted.holds(id) && polling.holds(id))
          // At every phase of the poll alike.
          await pause((round * 37) % 500)
          const answer = await server.api('POST', `/credentials/${id}/revoke`, {})
          if (answer.status !== 200) throw new Error(answer.text)
          const answered = performance.now()
          const [first, second] = await Promise.all([hinted.revoked(id), polling.revoked(id)])
          withHint.push(Math.max(0, first - answered))
          byPolling.push(Math.max(0, second - answered))
        }
        return { withHint, byPolling }
      } finally {
        await hinted.stop()
        await polling.stop()
      }
    })
  } finally {
    await server.kill()
    server.remove()
  }
}

interface Node {
  holds(id: string): boolean
  /** The instant at which its records say so. */
  revoked(id: string): Promise<number>
  stop(): Promise<void>
}

/** The feed and the records of a node, as the server puts them together. */
async function startNode(url: string, folder: string, hinted: boolean): Promise<Node> {
  const store = await openStore({ url, dataFolder: folder, checkpointsFolder: folder, clock: systemClock })
  const table = new RecordTable()
  const feed = new Feed({
    records: store.records,
    table,
    tokens: { cache: new TokenCache(), grants: new GrantTable(table), store: store.tokens },
    clock: systemClock,
    alone: false,
    staleAfterMs: () => 30_000,
    credentialsMax: 1_000_000,
    onError: (error) => {
      throw error
    },
  })
  await feed.start()
  if (hinted) store.listen(() => void feed.poll())
  return {
    holds: (id) => table.findCredential(id) !== -1,
    revoked: async (id) => {
      const end = performance.now() + 10_000
      while (table.state(table.findCredential(id), Date.now()) !== 'revoked') {
        if (performance.now() > end) throw new Error(`${id} was not revoked on another node within ten seconds`)
        await pause(1)
      }
      return performance.now()
    },
    stop: async () => {
      feed.stop()
      await store.close()
    },
  }
}
