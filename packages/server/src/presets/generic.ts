import type { Preset } from '../core/apis/api.ts'
import { bearer, common, corsOf, header } from './parts.ts'

const places = [bearer(['key', 'token', 'jwt']), header('X-Api-Key')]

/** An API without a vendor's habits: key in `Authorization: Bearer` or `X-Api-Key`. */
export const generic: Preset = { ...common, id: 'generic', places, cors: corsOf(places) }
