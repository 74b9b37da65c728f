import { Readable } from 'node:stream'

import { wire } from '@postern/contract'
import Type from 'typebox'

import { operatorAccountId } from '../core/accounts/account.ts'
import { StoreUnavailable } from '../core/store.ts'
import { callerOf } from './caller.ts'
import { operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'
import { timestamp } from './times.ts'

const tag = 'System'

export const system: Resource = (app, parts) => {
  const { store, clock } = parts

  app.get(
    '/whoami',
    operation('whoami', {
      tag,
      summary: 'Who this management credential is',
      response: { 200: wire.ref(wire.Whoami) },
    }),
    async (request) => {
      const { principal, bootstrap, scope } = callerOf(request)
      const { credential, kind, account, project, scopes } = principal
      return { credential, bootstrap, kind, account, project, scopes: [...scopes], operator: scope === null }
    },
  )

  app.get(
    '/system',
    operation('getSystem', { tag, summary: 'State of the server', response: { 200: wire.ref(wire.System) } }),
    async () => {
      const [counts, head, space] = [await store.system.counts(), await store.events.head(), await store.system.space()]
      const { position, stale } = parts.feed()
      return {
        version: parts.version,
        node: parts.node,
        started_at: timestamp(parts.startedAt),
        time: timestamp(clock.now()),
        store: store.kind,
        counts,
        feed: { position, head: head.sequence, stale },
        issuers: await Promise.all(parts.issuers().map((issuer) => issuerView(store, issuer))),
        targets: parts.targets().map((target) => ({ ...target })),
        space: {
          free_bytes: space.freeBytes,
          ballast: space.ballast,
          full: space.full,
          database_bytes: space.databaseBytes,
        },
      }
    },
  )

  app.post(
    '/system/backup',
    operation('startBackup', {
      tag,
      summary: 'Make a consistent copy of the databases while serving',
      description: `Answers lines of JSON: {done, total} as it goes, then {folder}. Key files are never part of it. Only for the account \`${operatorAccountId}\`.`,
      body: wire.ref(wire.StartBackup),
      produces: ['application/x-ndjson'],
      response: { 200: Type.Unsafe<Readable>(wire.ref(wire.BackupLine)) },
      problems: [409, 507],
    }),
    async (request, reply) => {
      const name = request.body.name ?? timestamp(clock.now()).replaceAll(':', '-')
      const folder = parts.backupFolder(name)
      if (folder === null) {
        throw new Refused('conflict', {
          detail: 'This store is backed up with the tools of its database, not by Postern.',
        })
      }
      const lines = Readable.from(backupLines(parts, folder))
      await reply.code(200).header('content-type', 'application/x-ndjson').serializer(String).send(lines)
    },
  )
}

async function issuerView(
  store: ManagementParts['store'],
  { issuer, state, keys, ageMs, failing, credential }: ReturnType<ManagementParts['issuers']>[number],
) {
  const found = await store.credentials.find({ id: credential, scope: null })
  return {
    issuer,
    state,
    keys,
    age_seconds: ageMs === null ? null : Math.round(ageMs / 1_000),
    failing,
    credential,
    credential_state: found?.state ?? null,
  }
}

async function* backupLines(parts: ManagementParts, folder: string): AsyncGenerator<string> {
  try {
    for await (const { done, total } of parts.store.system.backup({ folder })) yield line({ done, total })
    yield line({ folder })
  } catch (error) {
    parts.reportFault('backup.failed', {}, error)
    const code = error instanceof StoreUnavailable ? 'store_unavailable' : 'internal_error'
    yield line({ error: { code, detail: 'The backup was not finished; what is in its folder cannot be used.' } })
  }
}

function line(value: wire.BackupLine): string {
  return `${JSON.stringify(value)}\n`
}
