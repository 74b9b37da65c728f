import type { Preset } from '../core/apis/api.ts'
import { standardEndpoints } from '../core/oauth/standard-endpoints.ts'
import { basic, bearer, common, corsOf, header } from './parts.ts'

const places = [header('X-Api-Key'), basic, bearer(['token', 'jwt'])]

/** Payments: key in `X-Api-Key` or as Basic, tokens of our own or of another issuer as Bearer (CRC-2, CRC-4). */
export const cardconnect: Preset = {
  ...common,
  id: 'cardconnect',
  places,
  oauth: { endpoints: standardEndpoints({ token: '/v1/auth/token' }), fromKeys: false },
  cors: corsOf(places),
}
