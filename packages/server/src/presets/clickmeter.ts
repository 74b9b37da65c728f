import type { Preset } from '../core/apis/api.ts'
import { common, corsOf, everywhere, header, query, readMethods, writeMethods } from './parts.ts'

const places = [header('X-ClickMeter-API-Key'), query('api_key')]

/** Links, conversions and analytics: key in a header of its own or in the query (CLM-2, CLM-3, CLM-5). */
export const clickmeter: Preset = {
  ...common,
  id: 'clickmeter',
  places,
  scopes: { read: 'Read links, conversions and analytics', write: 'Create, change and delete them' },
  roles: { 'read-only': ['read'], 'read-write': ['read', 'write'] },
  routes: [everywhere('read', readMethods, ['read', 'write']), everywhere('write', writeMethods, ['write'])],
  cors: corsOf(places),
}
