import { ok, type Result } from '../../base/result.ts'
import type { Provenance } from '../../core/audit/event.ts'
import type { Approval, AuthorizationRequest } from '../../core/oauth/authorization.ts'
import { mintCode } from '../mint.ts'
import type { OAuthParts } from '../parts.ts'
import type { OAuthRefusal } from '../refusal.ts'
import { committed } from '../written.ts'

/** Stores what was agreed to, and answers the code that stands for it. */
export async function consented(
  parts: OAuthParts,
  request: AuthorizationRequest,
  { user, account, project, scopes }: Approval,
  by: Provenance,
): Promise<Result<string, OAuthRefusal>> {
  if (!scopes.every((scope) => request.scopes.includes(scope))) throw new Error('more was approved than was asked for')
  const { client, api } = request
  const grant = { id: `grt_${parts.ids.credential()}`, client: client.credential, user, account, project }
  const code = mintCode(parts, request, { ...grant, scopes }, parts.clock.now())
  const apis = [api.id]
  const stored = await parts.grants.consent({ grant: { ...grant, apis, scopes }, code: code.token, by })
  const written = committed(parts, stored, 'authorization_denied')
  return written.ok ? ok(code.text) : written
}
