import Type, { type Static } from 'typebox'

import { effect, ref } from './common.ts'
import { Credential } from './credentials.ts'
import { IssuedSecret, Secret } from './secrets.ts'

/** The answer to a rotation: the new secret, and how all of them stand now. */
export const RotatedCredential = Type.Object(
  { credential: ref(Credential), secret: ref(IssuedSecret), secrets: Type.Array(ref(Secret)), ...effect },
  { $id: 'RotatedCredential' },
)
export type RotatedCredential = Static<typeof RotatedCredential>
