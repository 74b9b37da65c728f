import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'
import type { Grant } from './grant.ts'
import { refreshToken } from './refresh-token.ts'

/** Every grant that there is. Device codes, token exchange and assertions would be one more file and line each. */
export const grants: readonly Grant[] = [clientCredentials, authorizationCode, refreshToken]
