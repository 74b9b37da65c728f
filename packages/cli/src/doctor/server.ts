import type { wire } from '@postern/contract'

import { Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { finding, note, type Check, type Finding } from './finding.ts'

/** What the running server says of itself. */
export const checkServer: Check = async (tools) => {
  const askedAt = tools.io.now()
  try {
    const system = await tools.client().get<wire.System>('/system')
    return findingsOf(tools, system, askedAt)
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    return [finding(false, 'server', error.explanation.what, error.explanation.next)]
  }
}

const clockMsMax = 5_000

function findingsOf(tools: Tools, system: wire.System, askedAt: number): readonly Finding[] {
  const { feed, space } = system
  const off = Math.abs(Date.parse(system.time) - (askedAt + tools.io.now()) / 2)
  const behind = feed.head - feed.position
  const free =
    space.free_bytes === null ? 'free space is not known' : `${(space.free_bytes / 1_073_741_824).toFixed(1)} GiB free`
  return [
    finding(true, 'server', `${system.version} (${system.node}), up since ${system.started_at}`, ''),
    finding(
      off < clockMsMax,
      'clock',
      `${Math.round(off)} ms from the server's`,
      'Set the clocks by NTP: expiry and rotation go by them.',
    ),
    finding(
      !feed.stale,
      'store',
      `${system.store}${feed.stale ? ' does not answer' : ', reachable'}`,
      'Look whether the database runs and can be reached.',
    ),
    finding(behind < 1_000, 'feed', `${behind} changes behind`, 'Wait a moment; if it stays, restart this node.'),
    ...system.targets
      .filter(({ state }) => state !== 'up')
      .map(({ upstream, target, state }) =>
        finding(false, `upstream ${upstream}`, `${target} is ${state}`, `Look whether ${target} runs and answers.`),
      ),
    ...system.issuers.flatMap(findingsOfIssuer),
    finding(
      !space.full,
      'space',
      `${free}, ${(space.database_bytes / 1_048_576).toFixed(1)} MiB used${space.full ? ', full' : ''}`,
      'Free space: nothing is issued or logged until then.',
    ),
    ...(space.ballast === null
      ? []
      : [finding(space.ballast === 'whole', 'ballast', space.ballast, 'Free space: it is refilled then.')]),
    note('rate limits', 'are counted per node; quotas are summed over all nodes'),
  ]
}

function findingsOfIssuer(issuer: wire.System['issuers'][number]): readonly Finding[] {
  const { issuer: name, state, keys, age_seconds: age, failing, credential, credential_state: held } = issuer
  const check = `issuer ${name}`
  const count = `${keys} ${keys === 1 ? 'key' : 'keys'}`
  const fetched = age === null ? 'no keys' : `${count}, ${age} s old`
  return [
    finding(
      state === 'current' && failing === null && keys > 0,
      check,
      failing === null ? fetched : `${fetched}; they cannot be fetched: ${failing}`,
      state === 'none'
        ? 'Its tokens are answered 503. Look whether its jwks_uri can be reached from the server.'
        : 'Look whether its jwks_uri can be reached from the server, and names keys for its algorithms.',
    ),
    finding(
      held === 'active',
      check,
      `its tokens act as ${credential}, which ${held === null ? 'does not exist' : `is ${held}`}`,
      'Name another credential in postern.yaml, or make it usable again.',
    ),
  ]
}
