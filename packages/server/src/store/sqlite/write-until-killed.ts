/**
 * Run as a process of its own by the tests: writes until it is killed, and says each credential that was acknowledged.
 */
import { systemClock } from '../../base/clock.ts'
import { aCredential, anAccount, by } from '../conformance-data.ts'
import { openStore } from '../index.ts'

const [dataFolder = ''] = process.argv.slice(2)
const checkpointsFolder = `${dataFolder}/checkpoints`
const store = await openStore({ url: 'sqlite', dataFolder, checkpointsFolder, clock: systemClock })
const home = await anAccount(store)

async function writeOn(): Promise<void> {
  for (;;) {
    const credential = aCredential()
    const made = await store.credentials.create({ ...home, credential, maxKeys: null, by })
    if (!made.ok) throw new Error(made.error.code)
    process.stdout.write(`+ ${credential.id}\n`)
    const change = { to: 'revoked', reason: null, hide: false } as const
    const revoked = await store.credentials.setState({ id: credential.id, scope: null, change, by })
    if (!revoked.ok) throw new Error(revoked.error.code)
    process.stdout.write(`- ${credential.id}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, writeOn))
