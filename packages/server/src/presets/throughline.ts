import type { Preset } from '../core/apis/api.ts'
import { standardEndpoints, standardPaths } from '../core/oauth/standard-endpoints.ts'
import { bearer, common, corsOf } from './parts.ts'

const places = [bearer(['token', 'jwt'])]

/** OAuth alone: a client proves itself to get a token, and an API takes nothing else (THL-1 to THL-6). */
export const throughline: Preset = {
  ...common,
  id: 'throughline',
  places,
  oauth: { endpoints: standardEndpoints(standardPaths), fromKeys: false },
  cors: corsOf(places),
}
