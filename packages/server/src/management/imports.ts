import { wire } from '@postern/contract'
import type { FastifyRequest } from 'fastify'

import { type Result, fail } from '../base/result.ts'
import { importCredential } from '../core/credentials/import.ts'
import { acceptTerms } from '../core/credentials/terms.ts'
import type { Circumstances, Fault } from '../core/credentials/terms.ts'
import type { ImportedCredential } from '../core/store.ts'
import { provenance } from './caller.ts'
import { committed, found } from './commits.ts'
import { visibleProject } from './credentials.ts'
import { circumstances, planOf, termsOf } from './issuing.ts'
import { importBytesMax } from './json-body.ts'
import { idParameters, operation } from './operation.ts'
import type { ManagementParts, Resource } from './parts.ts'
import { Refused } from './problems.ts'

export const imports: Resource = (app, parts) => {
  app.post(
    '/projects/:id/credentials/import',
    {
      bodyLimit: importBytesMax,
      ...operation('importCredentials', {
        tag: 'Credentials',
        summary: 'Import credentials of another system by their digests',
        description: 'Up to 1,000 at once. Without `partial`, one that is refused refuses all of them.',
        params: idParameters('id'),
        body: wire.ref(wire.ImportCredentials),
        response: { 200: wire.ref(wire.ImportReport) },
        problems: [409, 507],
      }),
    },
    async (request) => await importAll(parts, request, request.params.id, request.body),
  )
}

interface Refusal {
  readonly index: number
  readonly reason: string
}

async function importAll(
  parts: ManagementParts,
  request: FastifyRequest,
  projectId: string,
  body: wire.ImportCredentials,
): Promise<wire.ImportReport> {
  const { dry_run: dryRun = false, partial = false } = body
  const project = await visibleProject(parts, request, projectId)
  const account = found(await parts.store.accounts.find({ id: project.account }))
  const around = circumstances(parts, request, account)
  const good: { readonly index: number; readonly credential: ImportedCredential }[] = []
  const refused: Refusal[] = []
  for (const [index, line] of body.credentials.entries()) {
    const read = readLine(parts, line, around)
    if (read.ok) good.push({ index, credential: read.value })
    else refused.push({ index, reason: `${read.error.path} ${read.error.message}` })
  }
  refuseWhole(refused, partial)
  const write = parts.store.credentials.import({
    account: account.id,
    project: project.id,
    credentials: good.map(({ credential }) => credential),
    maxKeys: planOf(around.declaration, account)?.maxKeys ?? null,
    partial,
    dryRun,
    by: provenance(request, around.now),
  })
  const { value } = await committed(parts, write)
  const indexOf = (place: number): number => good[place]?.index ?? place
  refused.push(...value.refused.map(({ index, reason }) => ({ index: indexOf(index), reason })))
  refuseWhole(refused, partial)
  return {
    dry_run: dryRun,
    imported: [...value.imported],
    skipped: value.skipped.map(indexOf),
    refused: refused.toSorted((a, b) => a.index - b.index),
  }
}

function readLine(
  parts: ManagementParts,
  line: wire.ImportedCredential,
  around: Circumstances,
): Result<ImportedCredential, Fault> {
  if (line.kind === 'management')
    return fail({ path: '/kind', message: 'management credentials are issued, never imported' })
  const terms = acceptTerms(termsOf(line), around)
  if (!terms.ok) return fail(terms.error.errors[0] ?? { path: '', message: 'is refused' })
  return importCredential(terms.value, { digest: line.digest, publicId: line.public_id ?? null }, parts.ids)
}

function refuseWhole(refused: readonly Refusal[], partial: boolean): void {
  if (partial || refused.length === 0) return
  const errors = refused.map(({ index, reason }) => ({ path: `/credentials/${index}`, message: reason }))
  throw new Refused('not_acceptable_value', {
    detail: 'Nothing was imported. `errors` names the lines that were refused.',
    errors,
  })
}
