/**
 * Run as a process of its own by the tests: mints, refreshes and revokes until it is killed, and says what was
 * acknowledged, by digest: `+` minted, `-` revoked, `>` refreshed, from one refresh token to the next.
 */
import { systemClock } from '../base/clock.ts'
import type { NewToken } from '../core/tokens/token.ts'
import { by, must } from './conformance-data.ts'
import { aFamily, aToken, graceMs, successorsOf } from './conformance-token-data.ts'
import { openStore } from './index.ts'

const [url = '', dataFolder = ''] = process.argv.slice(2)
const checkpointsFolder = `${dataFolder}/checkpoints`
const store = await openStore({ url, dataFolder, checkpointsFolder, clock: systemClock })

const hex = ({ digest }: NewToken): string => Buffer.from(digest).toString('hex')
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

async function mintOn(): Promise<void> {
  const family = await aFamily(store)
  let { refresh } = family
  for (;;) {
    const token = aToken(family.home, family.client)
    await store.tokens.mint({ tokens: [token] })
    say(`+ ${hex(token)}`)
    must(await store.tokens.revoke({ token: { digest: token.digest }, client: null, scope: null, by }))
    say(`- ${hex(token)}`)
    const next = successorsOf(family)
    const { digest } = refresh
    const rotated = must(await store.tokens.rotateRefresh({ digest, successors: next.both, graceMs, by }))
    if (rotated.value !== 'rotated') throw new Error(rotated.value)
    say(`+ ${hex(next.access)}`)
    say(`> ${hex(refresh)} ${hex(next.refresh)}`)
    refresh = next.refresh
  }
}

await Promise.all(Array.from({ length: 8 }, mintOn))
