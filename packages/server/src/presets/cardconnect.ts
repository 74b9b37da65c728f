import type { Preset } from '../core/apis/api.ts'
import { basic, bearer, common, corsOf, header } from './parts.ts'

const places = [header('X-Api-Key'), basic, bearer(['token', 'jwt'])]

/** Payments: key in `X-Api-Key` or as Basic, or a token as Bearer (CRC-4). */
export const cardconnect: Preset = { ...common, id: 'cardconnect', places, cors: corsOf(places) }
