import type { Token } from '../../core/tokens/token.ts'
import type { Consent } from '../mint.ts'
import type { OAuthParts } from '../parts.ts'

/** What a code or refresh token was issued for; null where nobody allows it any more. */
export async function consentOf({ grantRecord }: OAuthParts, token: Token): Promise<Consent | null> {
  const { grant: id, family, account, project } = token
  const grant = id === null ? null : await grantRecord({ id })
  if (grant === null || family === null || !grant.active || grant.role === null) return null
  return { grant: grant.id, family, user: grant.user, account, project }
}
