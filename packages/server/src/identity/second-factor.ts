import type { UserProofs } from '../core/people/user.ts'
import type { Context } from './context.ts'
import { provenance } from './provenance.ts'
import { recoveryDigestOf } from './recovery-codes.ts'
import type { PageRequest } from './request.ts'
import { totpStepOf } from './totp.ts'

/**
 * Whether this code, of the authenticator or a recovery code, proves the person now. It is spent by that: the store
 * counts each code once (RFC 6238, section 5.2), whichever node is asked. False where there is no second factor.
 */
export async function provesFactor(
  context: Context,
  request: PageRequest,
  proofs: UserProofs,
  code: string,
): Promise<boolean> {
  const { user, totp } = proofs
  if (totp === null) return false
  const step = totpStepOf(context.sealing.openTotp(totp, user.id), code, context.clock.now())
  if (step !== null) return await context.store.people.spendTotpStep({ user: user.id, step })
  const digest = recoveryDigestOf(code)
  if (digest === null) return false
  const by = provenance(request, user.id)
  const spent = context.applied(await context.store.people.spendRecoveryCode({ user: user.id, digest, by }))
  return spent.ok && spent.value
}
