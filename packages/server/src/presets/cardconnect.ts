import type { Preset } from '../core/apis/api.ts'
import { basic, common, corsOf, header } from './parts.ts'

const places = [header('X-Api-Key'), basic]

/** Payments: key in `X-Api-Key` or as Basic (CRC-4). */
export const cardconnect: Preset = { ...common, id: 'cardconnect', places, cors: corsOf(places) }
