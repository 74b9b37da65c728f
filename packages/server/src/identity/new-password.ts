import { Secret } from '../base/secret.ts'
import { type Errors, field } from './fields.ts'
import type { Html } from './html.ts'
import { flawOf, flawText, passwordLengthMin } from './password-rules.ts'
import type { PageRequest } from './request.ts'

/** Twice, because nobody sees what they type. */
export const newPasswordFields = (errors: Errors, autofocus: boolean): readonly Html[] => [
  field(
    {
      name: 'password',
      label: 'New password',
      type: 'password',
      autocomplete: 'new-password',
      hint: `At least ${passwordLengthMin} characters, of any kind. A few words in a row are good.`,
      autofocus,
    },
    errors,
  ),
  field({ name: 'repeated', label: 'New password, once more', type: 'password', autocomplete: 'new-password' }, errors),
]

export function readNewPassword(
  { form }: PageRequest,
  about: readonly string[],
): { readonly password: Secret; readonly errors: Errors } {
  const password = new Secret(form.get('password') ?? '')
  const flaw = flawOf(password, about)
  const differs = form.get('repeated') !== form.get('password')
  return {
    password,
    errors: {
      ...(flaw !== null && { password: flawText(flaw) }),
      ...(flaw === null && differs && { repeated: 'The two passwords differ. Type the same one twice.' }),
    },
  }
}
