import type { wire } from '@postern/contract'

import { exit, Stop } from '../stop.ts'
import type { Tools } from '../tools.ts'
import { finding, note, type Check, type Finding } from './finding.ts'

const dayMs = 86_400_000
/** The server makes the next key by itself when the current one has signed for so long. */
const rotatedDays = 90
/** Housekeeping, and the day for which the next one is published before it signs. */
const lateDays = 3

/** Whether the keys that sign tokens follow each other as they should. */
export const checkSigningKeys: Check = async (tools) => {
  try {
    const { data } = await tools.client().get<wire.SigningKeyList>('/signing-keys')
    return findingsOf(tools, data)
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    // Of a server that does not answer the check of the server tells.
    return error.code === exit.notAllowed ? [note('signing keys', 'not looked at: this key may not see them')] : []
  }
}

function findingsOf({ io }: Tools, keys: readonly wire.SigningKey[]): readonly Finding[] {
  const current = keys.find(({ state }) => state === 'current')
  const next = keys.find(({ state }) => state === 'next')
  if (current === undefined) {
    return [finding(false, 'signing keys', 'none signs', 'Look whether keys/standing can be read and written.')]
  }
  const age = Math.floor((io.now() - Date.parse(current.used_from)) / dayMs)
  const then = next === undefined ? `the next is made after ${rotatedDays}` : `the next signs from ${next.used_from}`
  return [
    finding(
      age < rotatedDays + lateDays,
      'signing keys',
      `the current one signs for ${age} days; ${then}`,
      'Look for faults in the log of the server, then: npx postern signing-keys rotate',
    ),
  ]
}
