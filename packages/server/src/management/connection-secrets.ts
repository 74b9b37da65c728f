import { wire } from '@postern/contract'

import { noIpRanges } from '../base/ip.ts'
import type { Secret } from '../base/secret.ts'
import { operatorAccountId } from '../core/accounts/account.ts'
import { CheckBudget } from '../core/connections/check-budget.ts'
import { checkRequest, verdictOf } from '../core/connections/check.ts'
import type { CheckResult, SealedConnection } from '../core/connections/connection.ts'
import type { Platform } from '../core/connections/platform.ts'
import { platformOf } from '../core/connections/platforms/index.ts'
import { openSecrets } from '../core/connections/table.ts'
import { SealBroken } from '../core/credentials/sealing.ts'
import { callerOf, provenance } from './caller.ts'
import { committed, found } from './commits.ts'
import { checkView } from './connection-views.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'

const tag = 'Connections'
const Id = idParameters('id')

/** The two operations that open sealed secrets of third parties. */
export const connectionSecrets: Resource = (app, parts) => {
  const { store, clock } = parts
  const budget = new CheckBudget()

  app.post(
    '/connections/:id/reveal',
    operation('revealConnection', {
      tag,
      summary: 'Read the secrets of a connection, as a service of the operator',
      description:
        'For programs that call the platform themselves; never for people. Each reading is an event. Answers 409 while the connection is disabled.',
      params: Id,
      response: { 200: wire.ref(wire.RevealedConnection) },
      problems: [409, 507],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const by = provenance(request, clock.now())
      const { value } = await committed(parts, store.connections.read({ id: request.params.id, scope, by }))
      const secrets = opened(parts, value)
      if (secrets === null) {
        throw new Refused('conflict', {
          detail:
            'The sealed secrets cannot be opened here: keys/standing/connections.key is not the file that they were sealed with. Restore that file, or rotate the connection.',
        })
      }
      const { id, platform, settings, version } = value
      const clear = Object.fromEntries([...secrets].map(([field, secret]) => [field, secret.reveal()]))
      return { id, platform, settings: { ...settings }, secrets: clear, version }
    },
  )

  app.post(
    '/connections/:id/check',
    operation('checkConnection', {
      tag,
      summary: 'Ask the platform whether it accepts the credential',
      description:
        'Makes one call that changes nothing there. Nothing of its answer is kept but the status. Answers 409 where the platform has no such call, and 429 beyond ten a minute, or two at once, of a customer.',
      params: Id,
      response: { 200: wire.ref(wire.ConnectionCheck) },
      problems: [409, 507],
    }),
    async (request) => {
      const { scope } = callerOf(request)
      const connection = found(await store.connections.findSealed({ id: request.params.id, scope }))
      const platform = platformOf(connection.platform)
      if (platform === null) throw new Refused('conflict', { detail: 'The platform of this connection is not known.' })
      const wait = budget.begin(scope, clock.monotonic())
      if (wait !== null) throw tooManyChecks(wait)
      try {
        const result = await check(parts, platform, connection)
        const { id, secretVersion } = connection
        const by = provenance(request, clock.now())
        await committed(parts, store.connections.recordCheck({ id, scope, secretVersion, result, by }))
        return checkView(connection.platform, result)
      } finally {
        budget.end(scope)
      }
    },
  )
}

function tooManyChecks(waitMs: number): Refused {
  const seconds = Math.ceil(waitMs / 1_000)
  const detail = `As many checks as there can be are running, or were made in the last minute. Try again in ${seconds} s.`
  return new Refused('rate_limited', { detail, headers: { 'retry-after': String(seconds) } })
}

async function check(parts: ManagementParts, platform: Platform, connection: SealedConnection): Promise<CheckResult> {
  const secrets = opened(parts, connection)
  if (secrets === null) return { at: parts.clock.now(), reason: 'seal_broken', status: null }
  const { settings, account } = connection
  // What the operator allows of its own network is nothing for customers to look around in.
  const allowed = account === operatorAccountId ? parts.allowedPrivate() : noIpRanges
  const request = checkRequest({ platform, settings, secrets }, allowed)
  if ('none' in request) throw new Refused('conflict', { detail: `This connection cannot be checked. ${request.none}` })
  const verdict = verdictOf(platform, await parts.outbound.send(request))
  return { at: parts.clock.now(), ...verdict }
}

function opened(parts: ManagementParts, connection: SealedConnection): ReadonlyMap<string, Secret> | null {
  try {
    return openSecrets(connection, parts.connections)
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    parts.reportFault('connection.seal_broken', { connection: connection.id }, error)
    return null
  }
}
