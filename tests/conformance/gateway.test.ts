import { afterAll, beforeEach, describe } from 'vitest'

import { startUpstream } from '../../fuzz/lib/upstream.ts'
import { endChecks } from './gateway/checks-ends.ts'
import { headChecks } from './gateway/checks-heads.ts'
import { refusalChecks } from './gateway/checks-refused.ts'
import { streamChecks } from './gateway/checks-streams.ts'
import { upgradeChecks } from './gateway/checks-upgrade.ts'
import { clientFaults } from './gateway/faults-client.ts'
import { upstreamFaults } from './gateway/faults-upstream.ts'
import { identityPitfalls } from './gateway/pitfalls-identity.ts'
import { lifePitfalls } from './gateway/pitfalls-life.ts'
import { startStage, transports } from './support/stage.ts'

/** Accepts connections, and never says a word. */
const silent = await startUpstream(() => undefined)
afterAll(() => silent.close())

const stages = await Promise.all(
  transports.map((transport) =>
    startStage(transport, {
      gone: 'upstream: http://127.0.0.1:1',
      nameless: 'upstream: http://no-such-host.invalid',
      mute: `upstream: https://127.0.0.1:${silent.port}\n    timeouts: {connect: 200ms}`,
    }),
  ),
)

/** One server for each, because its start costs more than most of these tests. */
describe.each(stages)('the gateway over $transport.name', (stage) => {
  beforeEach(() => stage.reset())
  afterAll(() => stage.stop())

  headChecks(stage)
  streamChecks(stage)
  upgradeChecks(stage)
  endChecks(stage)
  refusalChecks(stage)
  identityPitfalls(stage)
  lifePitfalls(stage)
  describe('an upstream', () => {
    upstreamFaults(stage)
  })
  describe('a client', () => {
    clientFaults(stage)
  })
})
